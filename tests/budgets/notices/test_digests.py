from datetime import timedelta
from decimal import Decimal

import pytest

from budgets.models import Alert, Channel
from budgets.notices.digests import digest_message
from budgets.notices.message import Message
from budgets.notices.rendering.html import as_html
from budgets.notices.rendering.slack import as_slack
from budgets.notices.rendering.text import as_text
from tests.budgets.notices.windows import budget, reach
from tests.config.site_data import at, event, send
from usage.formats import dated
from usage.models import Organization

pytestmark = pytest.mark.usefixtures("usage")


def digest(owner: str = "", days: int = 7, day: int = 16) -> Message:
    kind = Channel.Digest.DAILY if days == 1 else Channel.Digest.WEEKLY
    organization = Organization.objects.get(slug=owner) if owner else None
    channel = Channel(name="ops", kind="email", digest=kind, organization=organization)
    end = at(day, 0)
    message = digest_message(channel, end - timedelta(days=days), end, at(day, 8))
    told = Message.from_content(message.as_content())
    assert as_text(told)
    assert as_html(told)
    assert as_slack(told)
    return told


def lines(message: Message) -> dict[str, str]:
    return {line.label: line.value for line in message.lines}


def test_a_week_is_told_beside_the_one_before_by_organization() -> None:
    send([event(30, at(3), project="web", output_tokens=100_000)])
    alert = reach(budget("web", levels=("50", "80")), "170")
    Alert.objects.filter(percent=80).update(opened_at=at(12))
    message = digest()
    assert message.type == "digest.weekly"
    assert message.title == (
        f"All organizations, {dated(at(9).date(), at(15).date())}: $5.43 spent"
    )
    # 5.43 after 1.50 is 3.93 more, 262 %.
    assert "$3.93 (262 %) more than in the time before" in message.summary
    assert message.severity == alert.severity
    found = lines(message)
    assert (found["Spent"], found["The time before"], found["Calls"]) == ("$5.43", "$1.50", "6")
    assert found["Without a price"] == "1, not in these sums"
    assert found["Alerts"] == "1 opened, 0 resolved"
    assert found["This month so far"] == "$6.93"
    tables = {section.title: section.table[1:] for section in message.sections}
    assert tables["Organizations that cost most"] == (
        ("acme", "$4.43", "$1.50", "5"),
        ("globex", "$1.00", "$0.00", "1"),
    )
    (named,) = (s.lines for s in message.sections if s.title.startswith("Alerts"))
    assert [line.value for line in named] == ["acme / web \u00b7 monthly: 85 % of $200 used"]
    assert tables["Budgets near or over"] == (("acme / web · monthly", "85 %", "$200", "$30.00"),)


def test_an_organization_is_told_of_its_own_projects_only() -> None:
    reach(budget("web"), "170")
    message = digest("globex")
    assert message.title.startswith("globex, ")
    assert message.sections[0].table == (
        ("Project", "Spent", "Before", "Calls"), ("site", "$1.00", "$0.00", "1"),
    )  # fmt: skip
    assert len(message.sections) == 1
    assert message.data["alerts"]["live"] == 0
    assert "acme" not in str(message)


def test_a_day_without_usage_says_so_in_one_line() -> None:
    message = digest("globex", days=1)
    assert message.type == "digest.daily"
    assert message.title == "globex, 15 Nov 2026: nothing was used"
    assert as_text(message).splitlines()[0] == "Nothing was used, and nothing needs a look."
    assert (message.lines, message.sections) == ((), ())
    assert Decimal(message.data["usage"]["cost"]) == 0
