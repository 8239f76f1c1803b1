"""The way to send of each kind of channel, loaded when it is first used: some take much memory."""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Protocol, cast
from uuid import UUID

from budgets.channels.parcels import Parcel, Tried, Try, failed
from budgets.models import Channel

_LOG = logging.getLogger(__name__)
_MODULES = {
    Channel.Kind.EMAIL: "budgets.channels.email",
    Channel.Kind.SLACK: "budgets.channels.slack",
    Channel.Kind.WEBHOOK: "budgets.channels.webhook",
    Channel.Kind.OTHER: "budgets.channels.services",
}


class Way(Protocol):
    """What the module of a kind of channel offers."""

    def check(self, target: str) -> str:
        """The target as it is to be kept; raises ValidationError."""

    def opened(self) -> AbstractContextManager[Callable[[Parcel], Tried]]:
        """Gives what sends one parcel, for as long as it is open."""


def way_of(kind: str) -> Way:
    """How channels of a kind send."""
    return cast("Way", import_module(_MODULES[Channel.Kind(kind)]))


def send_each(parcels: Sequence[Parcel], begin_until: float) -> dict[UUID, Try]:
    """Try parcels of one kind one after the other; what came of each, by its id.

    None is begun after `begin_until` (of time.monotonic), nor any to a channel that was just
    found to be down: those are missing in the answer. Uses no database, and raises nothing.
    """
    found: dict[UUID, Try] = {}
    began = time.monotonic()
    try:
        with way_of(parcels[0].kind).opened() as send:
            _try_each(send, parcels, begin_until, found)
    except Exception as fault:  # noqa: BLE001 - what is sent another way must not suffer
        _LOG.error("Nothing could be sent by %s: %s", parcels[0].kind, type(fault).__name__)
        tried = failed(f"This way to send could not be made ready: {type(fault).__name__}.")
        missed = Try(tried, began, time.monotonic())
        return found or {parcel.id: missed for parcel in parcels}
    return found


def _try_each(
    send: Callable[[Parcel], Tried],
    parcels: Sequence[Parcel],
    begin_until: float,
    found: dict[UUID, Try],
) -> None:
    down: set[int] = set()
    for parcel in parcels:
        began = time.monotonic()
        if began >= begin_until:
            break
        if parcel.channel_id in down:
            continue
        tried = _send(send, parcel)
        found[parcel.id] = Try(tried, began, time.monotonic())
        if tried.is_channel_down:
            down.add(parcel.channel_id)


def _send(send: Callable[[Parcel], Tried], parcel: Parcel) -> Tried:
    try:
        return send(parcel)
    except Exception as fault:  # noqa: BLE001 - one bad message must not hold up all others
        # Only its type: what it says may hold the address.
        _LOG.error("Notice %s could not be made ready: %s", parcel.id, type(fault).__name__)
        return failed(f"The message could not be made ready: {type(fault).__name__}.")
