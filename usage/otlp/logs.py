"""Log records → sightings of calls: coding clients and GenAI events. Pure.

Whatever is no call is passed over. A call is dated by its record, which is written when it ends.
Fields that attribute rules tell take precedence over those a client is known by.
"""

from collections.abc import Sequence

from usage.ingest.provider_usage import read_usage
from usage.ingest.values import FieldError, Rejection
from usage.mapping.book import RuleBook
from usage.otlp.clients import Reader, is_of_gemini, reader_of
from usage.otlp.reading import AttributeReader, make_event, time_of, with_told
from usage.otlp.spans import read_span
from usage.otlp.values import LogRecord, Span
from usage.sightings.values import Sighting

Reading = Sighting | Rejection | None
_GENAI = "gen_ai."
_USAGE = "gen_ai.usage."
_UNDATED = FieldError("timeUnixNano", "required", "The record tells no time, not even observed.")


def read_logs(records: Sequence[LogRecord], book: RuleBook, own: str | None) -> list[Reading]:
    """What each record tells of a call, None for nothing.

    `own` is the slug of the key's organization, None for a site key, for which rules choose.
    """
    return [_read(record, book, own) for record in records]


def _read(record: LogRecord, book: RuleBook, own: str | None) -> Reading:
    read = reader_of(record)
    if read is not None:
        return _read_client(record, read, book, own)
    if record.name.startswith(_GENAI) and not is_of_gemini(record):
        return _read_genai(record, book, own)
    return None


def _read_client(record: LogRecord, read: Reader, book: RuleBook, own: str | None) -> Reading:
    reader = AttributeReader(record.attributes)
    call = read(record, reader)
    if call is None:
        return None
    faults = reader.faults if record.time_ns else [_UNDATED, *reader.faults]
    if faults:
        return Rejection(faults, call.names[0])
    fields = {**call.fields, "event_id": call.names[0], "occurred_at": time_of(record.time_ns)}
    told = book.map((record.attributes, record.resource.attributes), own)
    event = make_event(with_told(fields, told))
    if not isinstance(event, Rejection):
        event = read_usage(event)
    if isinstance(event, Rejection):
        return event
    within = record.trace_id and record.span_id
    inside = f"{record.trace_id}-{record.span_id}" if within else None
    return Sighting(event, call.names[1:], inside=inside)


def _read_genai(record: LogRecord, book: RuleBook, own: str | None) -> Reading:
    """A GenAI event that tells the usage; without it the span around tells more."""
    if not any(name.startswith(_USAGE) for name in record.attributes):
        return None
    like_span = Span(
        resource=record.resource,
        scope=record.scope,
        name="",
        trace_id=record.trace_id,
        span_id="",
        parent_id=record.span_id,
        start_ns=record.time_ns,
        end_ns=0,
        attributes=record.attributes,
    )
    return read_span(like_span, book, own)
