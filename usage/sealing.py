"""Keeps secrets unreadable to who has only the database.

What is sealed for one purpose is not opened for another.
"""

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class Unreadable(Exception):
    """What was sealed cannot be read: the secret key has changed since."""

    def __init__(self) -> None:
        super().__init__(
            "It was sealed with another SECRET_KEY and cannot be read. Enter it again, or name"
            " the earlier key in SECRET_KEY_FALLBACKS."
        )


def seal(text: str, purpose: str) -> str:
    """The text as it may be stored."""
    return _cipher(purpose).encrypt(text.encode()).decode()


def unseal(token: str, purpose: str) -> str:
    """The text that `seal` was given; Unreadable where no key that is set opens it."""
    try:
        return _cipher(purpose).decrypt(token.encode()).decode()
    except InvalidToken:
        raise Unreadable from None


def _cipher(purpose: str) -> MultiFernet:
    return _cipher_of(purpose, (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@lru_cache(maxsize=8)
def _cipher_of(purpose: str, keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_derived(key, purpose)) for key in keys])


def _derived(key: str, purpose: str) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode())
    return base64.urlsafe_b64encode(derivation.derive(key.encode()))
