"""Spans of GenAI instrumentations → sightings of calls. Pure.

A call happened when its span began. Several instrumentations may tell of one call by spans within
each other: the innermost that knows the usage counts, and those around it are repeats, unless an
agent or a tool lies between. Some make spans beside each other: these are one call if they say the
same, one lasted no longer than the other, and no ids tell them apart.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from usage.ingest.values import MAX_DURATION_MS, EventValue, FieldError, Rejection
from usage.mapping.book import RuleBook
from usage.otlp.clients import CLAUDE_CODE, CLAUDE_MARK, client_fields
from usage.otlp.dialects.kinds import AGENT, operation_of
from usage.otlp.genai import Told, read_genai
from usage.otlp.reading import AttributeReader, make_event, time_of, with_told
from usage.otlp.values import Span
from usage.sightings.folding import family_of
from usage.sightings.values import Sighting, short_digest

_NAME_BYTES = 16
_MOST_ALIKE = 50
_DEEPEST = 64
_NANOSECONDS_A_MILLISECOND = 1_000_000
_LATEST_NS = 253_402_300_800 * 10**9  # the year 10000
Reading = Sighting | Rejection | None


def read_spans(spans: Sequence[Span], book: RuleBook, own: str | None) -> list[Reading]:
    """What each span tells of a call; None for no call, or a repeat of one further in.

    `own` is the slug of the key's organization, None for a site key, for which rules choose.
    """
    readings = [read_span(span, book, own) for span in spans]
    _fold(spans, readings)
    return readings


def read_span(span: Span, book: RuleBook, own: str | None) -> Reading:
    """What a span tells of a call by itself; None for no call.

    A record of another kind is read as a span with no id of its own, whose parent is the span
    that the record came from.
    """
    told = read_genai(span.attributes, span.scope, span.name, failed=span.failed)
    if told is None:
        return None
    if isinstance(told, list):
        return Rejection(told)
    nanoseconds = span.start_ns or span.end_ns
    if not 0 < nanoseconds < _LATEST_NS:
        message = "The record does not tell when the call was made."
        return Rejection([FieldError("start_time_unix_nano", "required", message)])
    event = make_event(_fields(span, told, book, own))
    if isinstance(event, Rejection):
        return event
    # A span that knows no usage lets one around it count that does.
    inside = _span_name(span.trace_id, span.parent_id) if _has_counts(event) else None
    return Sighting(event, told.names[1:], _span_name(span.trace_id, span.span_id), inside)


def _fields(span: Span, told: Told, book: RuleBook, own: str | None) -> dict[str, Any]:
    own_name = _span_name(span.trace_id, span.span_id)
    fields: dict[str, Any] = {
        "event_id": next(iter(told.names), None) or own_name or _content_name(span, told),
        "occurred_at": time_of(span.start_ns or span.end_ns),
        "model": told.model,
        "response_model": told.response_model,
        "provider": told.provider,
        "operation": told.operation,
        "agent_type": told.agent_type,
        "service_tier": told.service_tier,
        "status": told.status,
        "estimated": told.estimated,
        "duration_ms": _duration(span),
        **told.counts,
    }
    if told.cost is not None:
        fields |= {"reported_cost": told.cost, "currency": "USD"}
    resource = span.resource.attributes
    if span.name.startswith(CLAUDE_MARK):
        client = client_fields(CLAUDE_CODE, AttributeReader(span.attributes), resource)
        fields = {**fields, **client, "model": told.model}
    return with_told(fields, book.map((span.attributes, resource), own))


def _duration(span: Span) -> int | None:
    if not span.start_ns or span.end_ns < span.start_ns:
        return None
    milliseconds = round((span.end_ns - span.start_ns) / _NANOSECONDS_A_MILLISECOND)
    return milliseconds if milliseconds <= MAX_DURATION_MS else None


def _span_name(trace_id: str, span_id: str) -> str | None:
    return f"{trace_id}-{span_id}" if trace_id and span_id else None


def _content_name(span: Span, told: Told) -> str:
    """A name for a call that nobody gave one: sent again it is the same."""
    said = (span.trace_id, span.parent_id, span.start_ns, span.end_ns, told.model, told.counts)
    return short_digest("\0".join(map(str, said)), _NAME_BYTES)


def _fold(spans: Sequence[Span], readings: list[Reading]) -> None:
    """Drop the repeats among `readings` and tell each call what is directly around it."""
    calls = {place: told for place, told in enumerate(readings) if isinstance(told, Sighting)}
    if not calls:
        return
    tree = _Tree(spans, calls)
    around = {place: tree.around(place) for place in calls}
    for place, reading in calls.items():
        outer = around[place]
        if not isinstance(outer, int):
            reading.inside = reading.inside and outer
            continue
        reading.inside = reading.inside and calls[outer].span
        _drop_repeats(place, around, calls, readings)
    _join_twins(spans, readings)


def _drop_repeats(
    place: int,
    around: Mapping[int, int | str | None],
    calls: Mapping[int, Sighting],
    readings: list[Reading],
) -> None:
    """Of a call and those around it, from the inside out, drop the ones that repeat another."""
    passed, outer = {place}, around[place]
    # Spans that claim to be around each other lead back to where this began.
    while isinstance(outer, int) and outer not in passed and readings[place] is not None:
        repeated = _repeat_of(place, outer, calls)
        if repeated is not None:
            readings[repeated] = None
        passed.add(outer)
        outer = around[outer] if len(passed) < _DEEPEST else None


class _Tree:
    """The spans of a request, and which of them lie around others."""

    def __init__(self, spans: Sequence[Span], calls: Mapping[int, Sighting]) -> None:
        self._spans = spans
        self._families = {place: family_of(call.event) for place, call in calls.items()}
        self._places = {(span.trace_id, span.span_id): place for place, span in enumerate(spans)}
        self._agents: dict[int, bool] = {}

    def around(self, place: int) -> int | str | None:
        """The place of the call span of the same kind around the one at `place`.

        Where the way out leads to a span that did not come along, its name. None if there is
        neither, or only further out than spans lie within each other.
        """
        span, passed = self._spans[place], {place}
        family = self._families[place]
        while span.parent_id and len(passed) < _DEEPEST:
            outer = self._places.get((span.trace_id, span.parent_id))
            if outer is None:
                return _span_name(span.trace_id, span.parent_id)
            if outer in passed or self._is_agent(outer):
                return None
            if self._families.get(outer) == family:
                return outer
            passed.add(outer)
            span = self._spans[outer]
        return None

    def _is_agent(self, place: int) -> bool:
        known = self._agents.get(place)
        if known is None:
            span = self._spans[place]
            known = operation_of(span.attributes, span.scope, span.name) == AGENT
            self._agents[place] = known
        return known


def _repeat_of(place: int, outer: int, calls: Mapping[int, Sighting]) -> int | None:
    """Which of two call spans, `outer` around the other, tells nothing of its own."""
    inner_call, outer_call = calls[place], calls[outer]
    if not _names(inner_call).isdisjoint(_names(outer_call)):
        return None
    if _has_counts(inner_call.event) or not _has_counts(outer_call.event):
        return outer
    return place if inner_call.event.status == "success" else None


def _names(sighting: Sighting) -> set[str]:
    return {sighting.event.event_id, *sighting.names}


def _has_counts(event: EventValue) -> bool:
    return bool(event.input_tokens or event.output_tokens or event.meters)


def _join_twins(spans: Sequence[Span], readings: list[Reading]) -> None:
    """Make one of the spans that two instrumentations made of a call beside each other."""
    alike: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for place, reading in enumerate(readings):
        if isinstance(reading, Sighting):
            event, span = reading.event, spans[place]
            said = (family_of(event), event.model, event.input_tokens, event.output_tokens)
            # Spans with nothing around them are each a trace of its own.
            trace = span.parent_id and span.trace_id
            alike[id(span.resource), trace, span.parent_id, *said].append(place)
    for places in alike.values():
        if len({spans[place].scope for place in places}) > 1:
            _join(places[:_MOST_ALIKE], spans, readings)


def _join(places: Sequence[int], spans: Sequence[Span], readings: list[Reading]) -> None:
    for one, other in combinations(places, 2):
        kept, twin = _best_first(one, other, spans, readings)
        first, second = readings[kept], readings[twin]
        if not isinstance(first, Sighting) or not isinstance(second, Sighting):
            continue
        # With ids of their own both may be told apart, and sightings that share one are joined.
        if second.event.event_id == second.span and _is_within(spans[kept], spans[twin]):
            first.names = (*first.names, second.event.event_id)
            readings[twin] = None


def _best_first(
    one: int, other: int, spans: Sequence[Span], readings: Sequence[Reading]
) -> tuple[int, int]:
    """The one with an id of the provider's first, else the shorter one."""

    def rank(place: int) -> tuple[bool, int]:
        found, span = readings[place], spans[place]
        unnamed = not isinstance(found, Sighting) or found.event.event_id == found.span
        return unnamed, span.end_ns - span.start_ns

    return (one, other) if rank(one) <= rank(other) else (other, one)


def _is_within(one: Span, other: Span) -> bool:
    """Whether one of two spans of different scopes lasted within the other."""
    if one.scope == other.scope:
        return False
    first, second = sorted((one, other), key=lambda span: (span.start_ns, -span.end_ns))
    return second.end_ns <= first.end_ns
