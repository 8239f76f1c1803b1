"""Keys that read providers' reports: from the environment, or sealed in the database.

Every provider's keys begin in their own way, which tells whose a key is.
"""

from collections.abc import Mapping
from typing import cast

from django.conf import settings

from usage.bills.values import BillFault
from usage.models import BillSource
from usage.sealing import Unreadable, seal, unseal

_PURPOSE = "tallyman.bills"
_SHOWN = 4
_PREFIXES = (
    ("sk-ant-admin", BillSource.Kind.ANTHROPIC, ""),
    ("sk-ant-", BillSource.Kind.ANTHROPIC, "an admin key, which begins with sk-ant-admin"),
    ("sk-or-", BillSource.Kind.OPENROUTER, ""),
    ("sk-admin-", BillSource.Kind.OPENAI, ""),
    ("sk-", BillSource.Kind.OPENAI, "an admin key, which begins with sk-admin-"),
)
"""How keys begin, the longer beginnings first: whose they are, and what is needed instead of
keys that read no reports. OpenRouter's management keys begin as its others do."""


class WrongKey(ValueError):
    """A key that cannot read the reports of a source; says why, without the key."""


def kind_of_key(key: str) -> BillSource.Kind | None:
    """The provider whose key this is by how it begins; None where nobody's does so."""
    return next((kind for start, kind, _ in _PREFIXES if key.startswith(start)), None)


def check_key(kind: str, key: str) -> None:
    """Raise WrongKey unless the key begins as those do that read the reports of this provider."""
    if not key.isascii() or not key.isprintable() or " " in key:
        raise WrongKey("A key has no blanks and only plain characters.")
    for start, owner, needed in _PREFIXES:
        if not key.startswith(start):
            continue
        if owner != kind:
            raise WrongKey(f"This is a key of {owner.label}, not of {_label(kind)}.")
        if needed:
            raise WrongKey(f"This key reads no bills: {owner.label} needs {needed}.")
        return
    raise WrongKey(f"This is no key of {_label(kind)}.")


def sealed(key: str) -> str:
    """The key as it may be stored."""
    return seal(key, _PURPOSE)


def key_of(source: BillSource) -> str:
    """The key that reads the source's reports; BillFault where there is none to be had."""
    if source.sealed_key:
        try:
            return unseal(source.sealed_key, _PURPOSE)
        except Unreadable as fault:
            raise BillFault(f"The key cannot be used. {fault}") from None
    key = _environment().get(source.kind, "")
    if not key:
        raise BillFault("There is no key: neither here nor in the environment of the server.")
    try:
        check_key(source.kind, key)
    except WrongKey as fault:
        raise BillFault(f"The key in the environment of the server is wrong. {fault}") from None
    return key


def shown_key(source: BillSource) -> str:
    """Which key reads the source's reports, masked: sk-ant-admin…x7Qa."""
    if source.kind == BillSource.Kind.FILE:
        return "none: only files are read"
    if not source.sealed_key:
        known = "" if _environment().get(source.kind) else ", where there is none"
        return f"the key in the environment of the server{known}"
    try:
        key = unseal(source.sealed_key, _PURPOSE)
    except Unreadable as fault:
        return str(fault)
    start = next((start for start, _, _ in _PREFIXES if key.startswith(start)), "")
    return f"{start}…{key[-_SHOWN:] if len(key) > len(start) + 2 * _SHOWN else ''}"


def _environment() -> Mapping[str, str]:
    return cast("Mapping[str, str]", settings.TALLYMAN_BILL_KEYS)


def _label(kind: str) -> str:
    return str(BillSource.Kind(kind).label)
