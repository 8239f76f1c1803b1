"""Keeps what channels are sent with unreadable to who has only the database."""

import base64
import re
import secrets
from functools import lru_cache
from urllib.parse import urlsplit

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from budgets.models import Channel

_LABEL = b"tallyman.channels"
_SECRET_BYTES = 32
_SHOWN = 4
_LONG_ENOUGH = 12
"""So many characters a secret part has at least, where its last few may be shown."""


class Unreadable(Exception):
    """What was sealed cannot be read: the secret key has changed since."""

    def __init__(self) -> None:
        super().__init__(
            "It was sealed with another SECRET_KEY and cannot be read. Enter it again, or name"
            " the earlier key in SECRET_KEY_FALLBACKS."
        )


def seal(text: str) -> str:
    """The text as it may be stored."""
    return _cipher().encrypt(text.encode()).decode()


def unseal(token: str) -> str:
    """The text that `seal` was given; Unreadable where no key that is set opens it."""
    try:
        return _cipher().decrypt(token.encode()).decode()
    except InvalidToken:
        raise Unreadable from None


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


def _cipher() -> MultiFernet:
    return _cipher_of((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@lru_cache(maxsize=4)
def _cipher_of(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_derived(key)) for key in keys])


def _derived(key: str) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=_LABEL)
    return base64.urlsafe_b64encode(derivation.derive(key.encode()))
