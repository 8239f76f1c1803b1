"""Other services by a URL of apprise, which knows their hosts: those of TALLYMAN_SERVICE_SCHEMES.

Only what a URL is made of is taken, and few options: some of apprise's read files, follow
addresses, or wait for long.
"""

import contextlib
import logging
import re
import threading
from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, unquote, urlsplit

from apprise import Apprise, LogCapture, NotifyBase, NotifyType
from django.conf import settings
from django.core.exceptions import ValidationError

from budgets.channels.parcels import SENT, Parcel, Tried, failed, refused
from budgets.notices.rendering.text import as_text

_OPTIONS = frozenset(("priority", "region", "thread", "to", "topic"))
_SEVERITIES = {"critical": NotifyType.FAILURE, "warning": NotifyType.WARNING}
_SECONDS = 8.0
_QUOTED = 160
# Each would hear, and keep, what apprise tells of another's URL.
_ONE_AT_A_TIME = threading.Lock()
_TELLING = 5
"""Parts of a URL that are as long may be a secret."""


def check(target: str) -> str:
    """The URL, once it is one of a service that may be used; raises ValidationError."""
    _service(target)
    return target


@contextlib.contextmanager
def opened() -> Iterator[Callable[[Parcel], Tried]]:
    """Gives what sends one parcel."""
    yield _send


def _service(target: str) -> NotifyBase:
    parts = urlsplit(target)
    if parts.scheme not in settings.TALLYMAN_SERVICE_SCHEMES:
        known = ", ".join(settings.TALLYMAN_SERVICE_SCHEMES)
        raise ValidationError(f"It must begin with one of these and ://: {known}.")
    options = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    if options - _OPTIONS or re.search(r"[\s\x00-\x1f\x7f]", target) or parts.fragment:
        raise ValidationError(f"Of options it may have only {', '.join(sorted(_OPTIONS))}.")
    service = Apprise.instantiate(target, suppress_exceptions=True)
    if not isinstance(service, NotifyBase):
        raise ValidationError("This is not a URL of that service as apprise writes it.")
    service.socket_connect_timeout = service.socket_read_timeout = _SECONDS
    return service


def _send(parcel: Parcel) -> Tried:
    try:
        service = _service(parcel.address)
    except ValidationError as fault:
        return refused(" ".join(fault.messages))
    kind = _SEVERITIES.get(parcel.message.severity, NotifyType.INFO)
    # It tells nowhere else why it failed.
    capture = LogCapture(  # type: ignore[no-untyped-call]  # apprise has no types for it
        level=logging.WARNING, fmt="%(message)s"
    )
    with _ONE_AT_A_TIME, capture as said:
        taken = service.notify(
            title=parcel.message.title, body=as_text(parcel.message), notify_type=kind
        )
        if taken:
            return SENT
        lines = said.getvalue().strip().splitlines()
    told = _without_secrets(lines[-1], parcel.address)[:_QUOTED] if lines else ""
    return failed(f"The service did not take it. {told}".strip())


def _without_secrets(text: str, address: str) -> str:
    said = {*re.split(r"[/@:?=&,]+", address), *re.split(r"[/@:?=&,]+", unquote(address))}
    for part in sorted(said, key=len, reverse=True):
        if len(part) >= _TELLING:
            text = text.replace(part, "…")
    return text
