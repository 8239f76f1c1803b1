"""Webhooks: the message as JSON, signed as Standard Webhooks has it."""

import contextlib
import json
from collections.abc import Callable, Iterator
from functools import partial

from django.utils import timezone
from standardwebhooks import Webhook

from budgets.channels.outbound import Outbound, check_address
from budgets.channels.parcels import Parcel, Tried
from budgets.notices.rendering.payload import as_payload

check = check_address


@contextlib.contextmanager
def opened() -> Iterator[Callable[[Parcel], Tried]]:
    """Gives what sends one parcel."""
    with contextlib.closing(Outbound()) as out:
        yield partial(_send, out)


def _send(out: Outbound, parcel: Parcel) -> Tried:
    payload = as_payload(str(parcel.id), parcel.message, parcel.made_at)
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    now = timezone.now()
    # While a secret is being replaced, receivers may check with either.
    signatures = [Webhook(secret).sign(str(parcel.id), now, body) for secret in parcel.secrets]
    headers = {
        "content-type": "application/json",
        "webhook-id": str(parcel.id),
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    return out.post(parcel.address, body.encode(), headers)
