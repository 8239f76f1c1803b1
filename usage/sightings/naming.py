"""Which event a name of a call leads to.

A name leads to the id of an event, and that id, once it turned out to be of the same call as
another, leads on to that one. The id that leads nowhere is the one the call is stored under.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection, transaction

from usage.ingest.claims import array_of, find_claims
from usage.ingest.prepare import digest_of
from usage.models import CallName

SPANS_KEPT = timedelta(days=2)
"""How long after a call the span around it may still be told of."""
_LOCK_CLASS = 0x7A18


class Name(NamedTuple):
    """A name of an organization's call. `kind` keeps names of different use apart."""

    text: str
    kind: str = "call"


def find_names(organization_id: int, names: Iterable[Name]) -> dict[Name, str]:
    """The event ids that those of `names` lead to in the end which have been registered."""
    found = find_marks(organization_id, names)
    onwards = {Name(event_id) for event_id in found.values()}
    while onwards:
        led = find_marks(organization_id, onwards)
        found = {name: led.get(Name(event_id), event_id) for name, event_id in found.items()}
        onwards = {Name(event_id) for event_id in led.values()}
    return found


def find_marks(organization_id: int, names: Iterable[Name]) -> dict[Name, str]:
    """What was registered for those of `names` that are known, wherever it leads on to."""
    digests = {_digest(organization_id, name): name for name in names}
    if not digests:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT digest::text, event_id FROM usage_callname WHERE digest = ANY(%s::uuid[])",
            (array_of(digests),),
        )
        return {digests[digest.replace("-", "")]: event for digest, event in cursor.fetchall()}


def unite_names(organization_id: int, groups: Sequence[Sequence[str]]) -> list[str]:
    """Let all names of a group lead to one event from now on; tells its id, group by group.

    It is one that any of them led to already, or that is stored under one of them, else the
    first name. Waits for others that unite names of the organization.
    """
    if not groups:
        return []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", (_LOCK_CLASS, organization_id))
        names = {name for group in groups for name in group}
        led = {n.text: i for n, i in find_names(organization_id, map(Name, names)).items()}
        stored = find_stored(organization_id, names - led.keys())
        roots, leading = _united(groups, led, stored)
        register_names(organization_id, {Name(name): root for name, root in leading.items()})
    return roots


def _united(
    groups: Iterable[Sequence[str]], led: Mapping[str, str], stored: Iterable[str]
) -> tuple[list[str], dict[str, str]]:
    """The id of each group, and where names that lead nowhere yet lead now."""
    leading: dict[str, str] = {}
    ends = {*led.values(), *stored}
    chosen = []
    for group in groups:
        last = [_end(leading, led.get(name, name)) for name in group]
        known = [name for name in last if name in ends]
        root = (known or last)[0]
        ends.add(root)
        leading |= {name: root for name in (*group, *last) if name != root and name not in led}
        chosen.append(root)
    return [_end(leading, root) for root in chosen], leading


def _end(leading: Mapping[str, str], name: str) -> str:
    while name in leading:
        name = leading[name]
    return name


def find_stored(organization_id: int, names: Iterable[str]) -> set[str]:
    """Those of `names` that are the id of a stored event."""
    digests = {digest_of(organization_id, name): name for name in names}
    return {digests[digest] for digest in find_claims(digests)} if digests else set()


def register_names(
    organization_id: int, event_ids: Mapping[Name, str], until: datetime | None = None
) -> None:
    """Let names lead to events from now on; names that lead somewhere already stay as they are."""
    if not event_ids:
        return
    rows = sorted((_digest(organization_id, name), event) for name, event in event_ids.items())
    digests, events = zip(*rows, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO usage_callname (digest, event_id, until)"
            " SELECT d, e, %s FROM unnest(%s::uuid[], string_to_array(%s, E'\\n')) AS t (d, e)"
            " ON CONFLICT (digest) DO NOTHING",
            # No id of an event holds a line break.
            (until, array_of(digests), "\n".join(events)),
        )


def forget_names(now: datetime) -> int:
    """Delete names nobody asks for any more; tells how many."""
    return CallName.objects.filter(until__lt=now).delete()[0]


def _digest(organization_id: int, name: Name) -> str:
    return digest_of(organization_id, f"{name.kind}\0{name.text}")
