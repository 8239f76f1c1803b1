"""What usage can be grouped and filtered by: one declared table, so that no name from
outside ever becomes SQL."""

from dataclasses import dataclass

from usage.selectors.questions import QuestionError

TAG_MARK = "tag:"
MAX_TAG_NAME = 64


@dataclass(frozen=True, slots=True)
class Dimension:
    """One name of a question.

    `column` lies on rollups and events. It is the value itself, or, with `table`, points
    at a row whose `value` names it; rows of an `owned` table belong to one organization.
    A `fine` column is missing on days and months, a `tag` on every rollup.
    """

    name: str
    column: str
    table: str = ""
    value: str = ""
    owned: bool = False
    fine: bool = False
    tag: str = ""


def _kind(name: str) -> Dimension:
    return Dimension(name, "kind_id", "usage_callkind", name)


DIMENSIONS = {
    dimension.name: dimension
    for dimension in (
        Dimension("organization", "organization_id", "usage_organization", "slug"),
        Dimension("project", "project_id", "usage_project", "slug", owned=True),
        Dimension("subject", "subject_id", "usage_subject", "key", owned=True),
        Dimension("team", "team_id", "usage_team", "slug", owned=True),
        _kind("provider"),
        _kind("model"),
        _kind("operation"),
        _kind("action"),
        _kind("agent_type"),
        _kind("billing_scope"),
        Dimension("session", "session_id", fine=True),
        Dimension("run", "run_id", fine=True),
        Dimension("api_key", "api_key_id", "usage_apikey", "prefix"),
    )
}


def find_dimension(name: str, field: str) -> Dimension:
    """The dimension called `name`, also `tag:NAME`. Raises QuestionError about `field`."""
    if name in DIMENSIONS:
        return DIMENSIONS[name]
    tag = name.removeprefix(TAG_MARK)
    if name.startswith(TAG_MARK) and 0 < len(tag) <= MAX_TAG_NAME and "\0" not in tag:
        return Dimension(name, "tags", tag=tag)
    raise QuestionError(
        field,
        "unknown_dimension",
        f"{name!r} is none of {', '.join(DIMENSIONS)}, {TAG_MARK}NAME.",
    )
