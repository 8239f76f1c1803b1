"""What is handed to a channel's way of sending, and what comes back: no database in either."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from budgets.models import Delivery
from budgets.notices.message import Message


class Parcel(NamedTuple):
    """One message on its way: `id` is the notice's and the same on every try.

    `address` and `secrets` are readable and must not be logged; the first of the secrets is the
    one in use. `made_at` is aware.
    """

    id: UUID
    made_at: datetime
    channel_id: int
    channel: str
    kind: str
    address: str
    secrets: tuple[str, ...]
    message: Message

    def __repr__(self) -> str:
        return f"Parcel({self.id} to {self.channel})"


class Tried(NamedTuple):
    """What came of one try.

    `retry_after` is for how many seconds the receiver wants to be left alone, `is_gone` that it
    wants nothing more ever, `is_channel_down` that any other message would have fared the same.
    """

    outcome: Delivery.Outcome
    detail: str = ""
    status_code: int | None = None
    retry_after: float = 0
    is_gone: bool = False
    is_channel_down: bool = False


class Try(NamedTuple):
    """One try: what came of it, and when it began and ended (seconds of time.monotonic)."""

    tried: Tried
    began: float
    ended: float


SENT = Tried(Delivery.Outcome.SENT)


def failed(detail: str, *, is_channel_down: bool = True) -> Tried:
    """A try that failed and may succeed later."""
    return Tried(Delivery.Outcome.FAILED, detail, is_channel_down=is_channel_down)


def refused(detail: str) -> Tried:
    """A try that was not made, because the address is not allowed."""
    return Tried(Delivery.Outcome.REFUSED, detail, is_channel_down=True)
