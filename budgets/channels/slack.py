"""Slack, by an incoming webhook.

The message is made of slack_sdk's models; its client is not used, as it follows redirects to
wherever they lead.
"""

import contextlib
import json
from collections.abc import Callable, Iterator
from functools import partial

from django.conf import settings
from django.core.exceptions import ValidationError

from budgets.channels.outbound import Outbound, check_address
from budgets.channels.parcels import Parcel, Tried, refused
from budgets.notices.rendering.slack import as_slack

_HEADERS = {"content-type": "application/json; charset=utf-8"}


def check(target: str) -> str:
    """The URL, once it is one of Slack's; raises ValidationError."""
    if not target.startswith(settings.TALLYMAN_SLACK_URLS):
        known = " or ".join(settings.TALLYMAN_SLACK_URLS)
        raise ValidationError(f"A URL of Slack begins with {known}.")
    return check_address(target)


@contextlib.contextmanager
def opened() -> Iterator[Callable[[Parcel], Tried]]:
    """Gives what sends one parcel."""
    with contextlib.closing(Outbound()) as out:
        yield partial(_send, out)


def _send(out: Outbound, parcel: Parcel) -> Tried:
    try:
        url = check(parcel.address)
    except ValidationError as fault:
        return refused(" ".join(fault.messages))
    return out.post(url, json.dumps(as_slack(parcel.message)).encode(), _HEADERS)
