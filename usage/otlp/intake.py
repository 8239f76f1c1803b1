"""Telemetry of a request → calls that are stored. What comes back is what was refused, by index.

What is no call is passed over. Claude Code's metrics count only for sessions whose calls neither
its logs nor its spans tell.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import compress

from usage.ingest.decode import check_count
from usage.ingest.values import FieldError, Rejection
from usage.keys import KeyHolder, caller_of
from usage.mapping.current import rule_book
from usage.otlp.clients import CLAUDE_MARK, is_of_claude_code
from usage.otlp.logs import read_logs
from usage.otlp.metrics import read_points
from usage.otlp.spans import read_spans
from usage.otlp.values import LogRecord, Point, Span
from usage.sightings.sessions import take_calls, take_sums
from usage.sightings.values import Sighting

Refused = dict[int, list[FieldError]]


def take_spans(spans: Sequence[Span], holder: KeyHolder) -> Refused:
    """Store the calls that spans tell of. Raises BodyError for more than a request may hold."""
    of_claude = (span.name.startswith(CLAUDE_MARK) for span in spans)
    return _take_calls(read_spans(spans, rule_book(), _own(holder)), of_claude, holder)


def take_logs(records: Sequence[LogRecord], holder: KeyHolder) -> Refused:
    """Store the calls that logs tell of. Raises BodyError for more than a request may hold."""
    of_claude = map(is_of_claude_code, records)
    return _take_calls(read_logs(records, rule_book(), _own(holder)), of_claude, holder)


def take_points(points: Sequence[Point], holder: KeyHolder) -> Refused:
    """Store the sums that metrics tell of, of sessions whose calls nobody tells.

    Raises BodyError for more than a request may hold.
    """
    sums = read_points(points, rule_book(), _own(holder))
    check_count(len(sums))
    caller = caller_of(holder, [each.event for each in sums])
    refused = take_sums([each.event for each in sums], caller, datetime.now(UTC))
    return {index: errors for place, errors in refused.items() for index in sums[place].indexes}


def _own(holder: KeyHolder) -> str | None:
    return holder.tenant.slug if holder.tenant else None


def _take_calls(
    read: Sequence[Sighting | Rejection | None], of_claude: Iterable[bool], holder: KeyHolder
) -> Refused:
    places = [index for index, found in enumerate(read) if found is not None]
    found = [sighting for sighting in read if sighting is not None]
    check_count(len(found))
    if not found:
        return {}
    events = [sighting.event for sighting in found if isinstance(sighting, Sighting)]
    told = [each.event for each in compress(read, of_claude) if isinstance(each, Sighting)]
    taken = take_calls(found, caller_of(holder, events), told, datetime.now(UTC))
    return {places[index]: errors for index, errors in taken.refused.items()}
