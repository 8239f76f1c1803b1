"""Which event a name of a call leads to."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple

from django.db import connection

from usage.models import CallName

SPANS_KEPT = timedelta(days=2)
"""How long after a call the span around it may still be told of."""


class Name(NamedTuple):
    """A name of an organization's call. `kind` keeps names of different use apart."""

    text: str
    kind: str = "call"


def find_names(organization_id: int, names: Iterable[Name]) -> dict[Name, str]:
    """The event ids that those of `names` lead to which have been registered."""
    digests = {_digest(organization_id, name): name for name in names}
    if not digests:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT digest::text, event_id FROM usage_callname WHERE digest = ANY(%s::uuid[])",
            (list(digests),),
        )
        return {digests[digest.replace("-", "")]: event for digest, event in cursor.fetchall()}


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
            " SELECT d, e, %s FROM unnest(%s::uuid[], %s::text[]) AS t (d, e)"
            " ON CONFLICT (digest) DO NOTHING",
            (until, list(digests), list(events)),
        )


def forget_names(now: datetime) -> int:
    """Delete names nobody asks for any more; tells how many."""
    return CallName.objects.filter(until__lt=now).delete()[0]


def _digest(organization_id: int, name: Name) -> str:
    text = f"{organization_id}\0{name.kind}\0{name.text}"
    return blake2b(text.encode(), digest_size=16).hexdigest()
