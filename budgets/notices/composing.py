"""The text of a notice, as it is kept."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from budgets.models import Alert, Channel
from budgets.notices.advising import Adviser
from budgets.notices.digests import digest_message
from budgets.notices.message import Message
from budgets.notices.writing import alert_message

_LOG = logging.getLogger(__name__)


PARTS = (
    "organization",
    *(f"budget__{part}" for part in ("organization", "project", "team", "subject", "api_key")),
)
"""What of an alert is read for its text, to be selected with it."""


def compose(
    alert: Alert,
    notice_kind: str,
    now: datetime,
    adviser: Adviser,
    others: Sequence[Alert] = (),
) -> dict[str, Any]:
    """What a notice says of an alert at `now` (aware), and of `others` that it stands for.

    Somebody is told even where the figures cannot be had: then it only names the alert.
    """

    def write() -> Message:
        return alert_message(
            alert, notice_kind=notice_kind, others=others, now=now, adviser=adviser
        )

    return _written(write, "alert.plain", alert.severity, str(alert))


def compose_digest(
    channel: Channel, since: datetime, until: datetime, now: datetime
) -> dict[str, Any]:
    """What a digest says of the time from `since` to before `until`, all of them aware."""

    def write() -> Message:
        return digest_message(channel, since, until, now)

    return _written(write, "digest.plain", Alert.Severity.INFO, f"Digest for {channel}")


def _written(
    write: Callable[[], Message], plain_type: str, severity: str, title: str
) -> dict[str, Any]:
    try:
        with transaction.atomic():
            return write().as_content()
    except Exception:  # noqa: BLE001 - one message must not hold up all others
        _LOG.exception("The text could not be written: %s", title)
    plain = Message(
        type=plain_type,
        severity=severity,
        title=title,
        summary="Its figures could not be told; the log of the worker says why.",
        url="",
    )
    return plain.as_content()
