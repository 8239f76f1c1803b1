"""Asking for exports; the files are written by `continue_exports`."""

from django.db import connection, transaction

from usage.exports.files import Parameters, check, reach, read_parameters, settle
from usage.models import Export
from usage.selectors.exports import UNFINISHED, Requester, own_exports
from usage.selectors.questions import QuestionError

MOST_UNFINISHED = 5
_OF_USER, _OF_KEY = 0x7A14, 0x7A15


class TooManyExports(QuestionError):
    """The requester's earlier exports must be finished first."""

    def __init__(self) -> None:
        message = f"At most {MOST_UNFINISHED} exports at a time; wait until one is finished."
        super().__init__("kind", "too_many", message)


@transaction.atomic
def request_export(
    kind: str, file_format: str, parameters: Parameters, *, requester: Requester
) -> Export:
    """Have a worker write a file; `parameters` are those of the query string that asks the same.

    What they leave open (the last day, the time zone) is settled now. Raises QuestionError if
    they make no sense, TooManyExports when too many wait already.
    """
    if file_format not in Export.Format.values:
        allowed = ", ".join(Export.Format.values)
        raise QuestionError("format", "unknown", f"{file_format!r} is none of {allowed}.")
    question = read_parameters(kind, parameters, requester.viewer)
    check(question)
    _wait_for_turn(requester)
    if own_exports(requester).filter(status__in=UNFINISHED).count() >= MOST_UNFINISHED:
        raise TooManyExports
    ids = reach(question).organization_ids
    return Export.objects.create(
        kind=kind,
        format=file_format,
        parameters=settle(parameters, question),
        organization_ids=None if ids is None else sorted(ids),
        requested_by_id=requester.user_id,
        api_key_id=requester.key_id,
    )


def _wait_for_turn(requester: Requester) -> None:
    # Two requests at once would otherwise both be the last that is allowed.
    whose = (
        (_OF_USER, requester.user_id)
        if requester.user_id is not None
        else (_OF_KEY, requester.key_id or 0)
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", whose)
