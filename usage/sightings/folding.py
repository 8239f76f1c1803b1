"""Sightings that came together → the calls they are of. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

from usage.ingest.values import EventValue
from usage.sightings.merging import merge
from usage.sightings.naming import Name
from usage.sightings.values import Sighting

_APART = frozenset({"embeddings", "rerank"})


@dataclass(slots=True)
class Call:
    """One call as the sightings at `indexes` tell it.

    `names` are all it is known by, the best one first.
    """

    event: EventValue
    names: list[str]
    spans: set[str]
    insides: set[str]
    indexes: list[int]
    settles_place: bool

    def store_under(self, event_id: str) -> None:
        """Take the id of the event that the call has, or is to have."""
        self.event.event_id = event_id
        self.names = _either(self.names, [event_id])

    @property
    def around(self) -> list[Name]:
        """The spans directly around the call, as names."""
        return [_span_name(inside, self.event) for inside in sorted(self.insides)]

    @property
    def own(self) -> list[Name]:
        """The spans that told of the call, as names of what is around others."""
        return [_span_name(span, self.event) for span in sorted(self.spans)]

    @property
    def told_by(self) -> list[Name]:
        """The spans that told of the call and do not name it."""
        family = family_of(self.event)
        return [told_by(span, family) for span in sorted(self.spans - {self.event.event_id})]


def call_of(index: int, sighting: Sighting) -> Call:
    """The call that one sighting tells of."""
    return Call(
        sighting.event,
        list(dict.fromkeys((sighting.event.event_id, *sighting.names))),
        {sighting.span} if sighting.span else set(),
        {sighting.inside} if sighting.inside else set(),
        [index],
        sighting.settles_place,
    )


def fold(calls: Iterable[Call]) -> list[Call]:
    """The calls in the order in which they first appear; those that share a name are one."""
    by_name: dict[str, Call] = {}
    for call in calls:
        known = {id(c): c for name in call.names if (c := by_name.get(name))}
        joined = reduce(lambda whole, one: _joined(one, whole), known.values(), call)
        by_name |= dict.fromkeys(joined.names, joined)
    folded = {id(call): call for call in by_name.values()}
    return sorted(folded.values(), key=lambda call: call.indexes[0])


def family_of(event: EventValue) -> str:
    """The kind of calls that `event` is one of; only a span of the same kind can repeat it."""
    return event.operation if event.operation in _APART else "chat"


def told_by(span: str, family: str) -> Name:
    """A span as the name of the call of this kind that it told of."""
    return Name(span, f"telling {family}")


def _span_name(span: str, event: EventValue) -> Name:
    return Name(span, f"around {family_of(event)}")


def _joined(one: Call, other: Call) -> Call:
    return Call(
        merge(one.event, other.event),
        _either(one.names, other.names),
        one.spans | other.spans,
        one.insides | other.insides,
        sorted((*one.indexes, *other.indexes)),
        one.settles_place or other.settles_place,
    )


def _either(one: list[str], other: list[str]) -> list[str]:
    return list(dict.fromkeys((*one, *other)))
