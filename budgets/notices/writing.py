"""What messages say of alerts: written when they are routed, and kept, so that every try says the
same. Amounts are in the ledger currency, or tokens or requests; times in the zone of the budget.
"""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from budgets.links import alert_url, channel_url
from budgets.models import Alert, Channel, Notice
from budgets.notices.advising import Adviser
from budgets.notices.figures import read_figures
from budgets.notices.findings import tell_finding
from budgets.notices.fitting import fit
from budgets.notices.message import Line, Message, Section
from budgets.notices.titles import alert_title
from budgets.notices.webhook_data import as_json, data_of, type_of
from budgets.notices.windows import facts_of, tell_window

_OVER = {
    Alert.Resolution.LIMIT: "The limit was raised, and this is no longer so.",
    Alert.Resolution.SPEND: "The spend was corrected, and this is no longer so.",
    Alert.Resolution.WINDOW: "The period is over.",
    Alert.Resolution.BUDGET: "The budget was changed or switched off.",
    Alert.Resolution.HAND: "Somebody has resolved this.",
}
_IS_OVER = "This is no longer so."
_MARKS = {Notice.Kind.RESOLVED: "Resolved: ", Notice.Kind.REPEAT: "Still: "}
_AGAIN = "Nobody has acknowledged this yet."


def alert_message(
    alert: Alert,
    *,
    notice_kind: str,
    others: Iterable[Alert] = (),
    now: datetime,
    adviser: Adviser | None = None,
) -> Message:
    """What a notice of this kind (Notice.Kind) says of an alert at `now`, aware.

    The alert comes with its organization and its budget, with the parts of its scope. `others`
    are lower levels of the same window, or levels of other past windows of its budget, that are
    told by this message, too. One `adviser` for all
    messages of a run asks what they have in common only once.
    """
    is_over = notice_kind == Notice.Kind.RESOLVED
    figures, page = read_figures(alert, now), alert_url(alert)
    if figures is None:
        told, title = tell_finding(alert), alert_title(alert)
    else:
        told = tell_window(alert, figures, others, None if is_over else adviser or Adviser())
        facts = {**alert.facts, **facts_of(figures)}
        title = alert_title(alert, figures.state.member_name, facts)
    table = Section("Sessions that cost most", table=told.sessions)
    return fit(
        Message(
            type=type_of(alert, notice_kind),
            severity=Alert.Severity.INFO if is_over else alert.severity,
            title=_MARKS.get(Notice.Kind(notice_kind), "") + title,
            summary=f"{_before(alert, notice_kind)} {told.summary}".strip(),
            url=absolute(told.path or page),
            lines=tuple(told.lines),
            sections=(table,) if told.sessions else (),
            advice=() if is_over else tuple(told.advice),
            data=data_of(alert, figures, notice_kind=notice_kind, url=absolute(page)),
        )
    )


def test_message(channel: Channel) -> Message:
    """What a test of a channel says."""
    owner = channel.organization.slug if channel.organization else "the whole site"
    return fit(
        Message(
            type="test",
            severity=Alert.Severity.INFO,
            title=f"Test of the channel {channel.name}",
            summary="This channel works: alerts that are sent to it arrive here.",
            url=absolute(channel_url(channel)) if channel.pk else "",
            lines=(Line("Channel", channel.name), Line("Of", owner)),
            data=as_json({"channel": {"id": channel.pk, "name": channel.name}}),
        )
    )


def absolute(path: str) -> str:
    """The address of a page as staff reach it from elsewhere."""
    return f"{settings.TALLYMAN_PUBLIC_URL}{path}"


def _before(alert: Alert, notice_kind: str) -> str:
    if notice_kind == Notice.Kind.RESOLVED:
        return _OVER.get(Alert.Resolution(alert.resolution), _IS_OVER)
    return _AGAIN if notice_kind == Notice.Kind.REPEAT else ""
