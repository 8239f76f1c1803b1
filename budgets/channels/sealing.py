"""Keeps what channels are sent with unreadable to who has only the database."""

import base64
import re
import secrets
from urllib.parse import urlsplit

from budgets.models import Channel
from usage import sealing
from usage.sealing import Unreadable

__all__ = ["Unreadable", "mask", "new_secret", "seal", "unseal"]

_PURPOSE = "tallyman.channels"
_SECRET_BYTES = 32
_SHOWN = 4
_LONG_ENOUGH = 12
"""So many characters a secret part has at least, where its last few may be shown."""


def seal(text: str) -> str:
    """The text as it may be stored."""
    return sealing.seal(text, _PURPOSE)


def unseal(token: str) -> str:
    """The text that `seal` was given; Unreadable where no key that is set opens it."""
    return sealing.unseal(token, _PURPOSE)


def new_secret() -> str:
    """A secret that webhooks are signed with, as their receivers enter it."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"


def mask(kind: str, target: str) -> str:
    """What may be shown of a target: a…@example.org, https://hooks.example.org/…x7Qa."""
    if kind == Channel.Kind.EMAIL:
        return ", ".join(_masked_address(address) for address in target.split(","))
    parts = urlsplit(target)
    known = f"{parts.scheme}://"
    if kind != Channel.Kind.OTHER:
        # The host of another service's URL is often the key itself.
        known += f"{parts.hostname or ''}/"
    if kind == Channel.Kind.SLACK and parts.path.startswith("/services/"):
        known += "services/"
    return f"{known}…{_end(target[len(known) :])}"


def _masked_address(address: str) -> str:
    name, _, host = address.strip().rpartition("@")
    return f"{name[:1]}…@{host}"


def _end(text: str) -> str:
    last = re.search(r"[\w-]*\Z", text)
    tail = last[0] if last else ""
    return tail[-_SHOWN:] if len(tail) >= _LONG_ENOUGH else ""
