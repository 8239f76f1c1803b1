"""E-mail, over one connection for all that is sent at a time."""

import contextlib
import re
import smtplib
from collections.abc import Callable, Iterator
from email.utils import parseaddr

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.validators import validate_email

from budgets.channels.parcels import SENT, Parcel, Tried, failed
from budgets.notices.rendering.html import as_html
from budgets.notices.rendering.text import as_text

_MOST_ADDRESSES = 50
_PRINTED = "django.core.mail.backends.console.EmailBackend"
_LONGEST_SUBJECT = 200
_UNSET = "No mail server is set: whoever runs Tallyman names one in EMAIL_URL."


def check(target: str) -> str:
    """The addresses, separated by commas, each once; raises ValidationError."""
    parts = re.split(r"[,;\s]+", target.strip(" \t\r\n,;"))
    addresses = list(dict.fromkeys(part for part in parts if part))
    if not addresses:
        raise ValidationError("At least one address is needed.")
    if len(addresses) > _MOST_ADDRESSES:
        raise ValidationError(f"At most {_MOST_ADDRESSES} addresses.")
    for address in addresses:
        validate_email(address)
    return ",".join(addresses)


@contextlib.contextmanager
def opened() -> Iterator[Callable[[Parcel], Tried]]:
    """Gives what sends one parcel. One look at a server that does not answer is enough."""
    connection = get_connection()
    if settings.EMAIL_BACKEND == _PRINTED:
        yield lambda _: failed(_UNSET)
        return
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as fault:
        found = failed(_told(fault))
        yield lambda _: found
        return
    try:
        yield lambda parcel: _send(parcel, connection)
    finally:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            connection.close()


def _send(parcel: Parcel, connection: BaseEmailBackend) -> Tried:
    try:
        # The connection may have been closed by an earlier fault.
        connection.open()
        _composed(parcel, connection).send()
    except smtplib.SMTPRecipientsRefused as fault:
        codes = ", ".join(sorted({str(code) for code, _ in fault.recipients.values()}))
        return failed(f"The mail server refused the addresses ({codes}).")
    except (OSError, smtplib.SMTPException) as fault:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            connection.close()
        return failed(_told(fault), is_channel_down=not isinstance(fault, smtplib.SMTPDataError))
    return SENT


def _composed(parcel: Parcel, connection: BaseEmailBackend) -> EmailMultiAlternatives:
    sender = settings.TALLYMAN_EMAIL_FROM
    host = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    mail = EmailMultiAlternatives(
        subject=_one_line(parcel.message.title),
        body=as_text(parcel.message),
        from_email=sender,
        to=parcel.address.split(","),
        connection=connection,
        headers={
            "Message-ID": f"<{parcel.id}@{host}>",
            "Auto-Submitted": "auto-generated",
            "List-Id": f"<{parcel.channel}.tallyman.{host}>",
            "X-Auto-Response-Suppress": "All",
        },
    )
    mail.attach_alternative(as_html(parcel.message), "text/html")
    return mail


def _one_line(text: str) -> str:
    words = "".join(c if c.isprintable() else " " for c in text).split()
    return " ".join(words)[:_LONGEST_SUBJECT]


def _told(fault: Exception) -> str:
    """What went wrong, without what a server may have repeated of the message."""
    if isinstance(fault, smtplib.SMTPResponseException):
        return f"The mail server answered {fault.smtp_code}."
    if isinstance(fault, TimeoutError):
        return "The mail server did not answer in time."
    if isinstance(fault, OSError) and fault.strerror:
        return f"The mail server could not be reached: {fault.strerror}."
    return f"The mail server could not be used: {type(fault).__name__}."
