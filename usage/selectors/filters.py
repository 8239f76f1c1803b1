"""Parameters of a statement, and filters as conditions on a table with usage's columns."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from usage.models.keys import KEY_MARK
from usage.selectors.dimensions import Dimension, find_dimension
from usage.selectors.questions import QuestionError

ORGANIZATION = "organization"
Filter = tuple[Dimension, Collection[str]]


class Parameters:
    """Values of a statement under names made here."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def add(self, value: object) -> str:
        """Keep `value`; return its placeholder."""
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"%({name})s"


def read_filters(filters: Mapping[str, Collection[str]]) -> list[Filter]:
    """Filters with their dimensions, but without the organization, which scoping settles.

    Raises QuestionError for names and values that cannot be.
    """
    read: list[Filter] = []
    for name, values in filters.items():
        dimension = find_dimension(name, name)
        if any("\0" in value for value in values):
            raise QuestionError(name, "invalid", "A value cannot hold a NUL character.")
        if name == "api_key":
            read.append((dimension, {value.removeprefix(KEY_MARK) for value in values}))
        elif name != ORGANIZATION:
            read.append((dimension, values))
    return read


def condition(parameters: Parameters, organization_ids: Sequence[int], wanted: Filter) -> str:
    """The SQL that is true for rows of table `r` that pass; an empty value is "not given"."""
    dimension, values = wanted
    allowed = f"{parameters.add(sorted(values))}::text[]"
    column = f"r.{dimension.column}"
    if dimension.table:
        owner = (
            f" AND organization_id = ANY({parameters.add(list(organization_ids))}::int[])"
            if dimension.owned
            else ""
        )
        named = f"SELECT id FROM {dimension.table} WHERE {dimension.value} = ANY({allowed}){owner}"
        passes = f"{column} IN ({named})"
    else:
        if dimension.tag:
            column = f"r.tags ->> {parameters.add(dimension.tag)}"
        passes = f"{column} = ANY({allowed})"
    return f"({passes} OR {column} IS NULL)" if "" in values else passes
