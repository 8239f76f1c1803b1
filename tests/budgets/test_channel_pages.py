import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from budgets.channels.saving import signing_secret
from budgets.channels.sealing import unseal
from budgets.links import channel_url, notice_url
from budgets.models import Budget, Channel, Delivery, Notice
from tests.budgets.alerting import channel, notice, overspent, silent
from tests.budgets.test_admin import ADD as ADD_BUDGET
from tests.budgets.test_admin import change_url, form
from tests.config.site_data import staff
from usage.models import Organization

LIST, ADD = "/admin/budgets/channel/", "/admin/budgets/channel/add/"
NOTICES = "/admin/budgets/notice/"
HOOK = "https://hooks.example.org/in/secret-part-of-the-address"


def given(organization: str | None = "acme", **fields: Any) -> dict[str, Any]:
    owner = Organization.objects.get(slug=organization).pk if organization else ""
    plain = {
        "organization": owner, "name": "ops", "kind": "email", "sends_to": "ann@example.org",
        "enabled": "on", "least_severity": "info", "at_once": "on", "digest": "",
        "digest_hour": "8", "repeat_hours": "", "quiet_from": "", "quiet_until": "",
    }  # fmt: skip
    return {**plain, **fields}


def add(client: Client, organization: str | None = "acme", **fields: Any) -> Any:
    return client.post(ADD, given(organization, **fields), follow=True)


def listed(client: Client, page: str = LIST, query: str = "") -> set[str]:
    answer = client.get(f"{page}?{query}")
    assert answer.status_code == 200
    return {str(row) for row in answer.context["cl"].result_list}


def test_a_target_is_entered_once_and_never_shown_again(usage: None, administrator: Client) -> None:
    assert "No channel yet: alerts are only shown here." in administrator.get(LIST).text
    quiet = {"quiet_from": "22:00", "quiet_until": "07:00", "digest": "daily"}
    page = add(
        administrator, sends_to="ann@example.org, bob@example.org", kinds=["threshold"],
        is_default="on", **quiet,
    )  # fmt: skip
    assert "Channel ops is set up." in page.text

    made = Channel.objects.get()
    assert unseal(made.target) == "ann@example.org,bob@example.org"
    assert (made.kinds, made.is_default, made.organization) == (
        ["threshold"], True, Organization.objects.get(slug="acme"),
    )  # fmt: skip
    for shown in (
        page.text,
        administrator.get(LIST).text,
        administrator.get(channel_url(made)).text,
    ):
        assert "a…@example.org" in shown
        assert "ann@example.org" not in shown
        assert made.target not in shown
    told = "threshold crossed from info; digest every day; quiet 22:00 to 07:00"
    assert told in administrator.get(LIST).text
    assert "example" not in str(list(LogEntry.objects.values()))

    fields = given(sends_to="", least_severity="critical")
    administrator.post(channel_url(made), fields)
    made.refresh_from_db()
    assert (made.least_severity, unseal(made.target)) == (
        "critical", "ann@example.org,bob@example.org",
    )  # fmt: skip
    administrator.post(channel_url(made), given(sends_to="eve@example.org", enabled=""))
    made.refresh_from_db()
    assert (made.enabled, unseal(made.target)) == (False, "eve@example.org")
    assert '<span class="tm-badge ">off</span>' in administrator.get(LIST).text


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"sends_to": "no address"}, "Enter a valid email address."),
        ({"sends_to": ""}, "This field is required."),
        ({"kind": "slack", "sends_to": HOOK}, "A URL of Slack begins with"),
        ({"kind": "webhook", "sends_to": "https://127.0.0.1/x"}, "127.0.0.1"),
        ({"kind": "pigeon"}, "Select a valid choice"),
        ({"kinds": ["nothing"]}, "Select a valid choice"),
        ({"quiet_from": "22:00"}, "Quiet hours need a beginning and an end."),
        ({"name": "taken"}, "There is a channel of this name already."),
        ({"digest_hour": "24"}, "less than or equal to 23"),
    ],
)
def test_what_cannot_be_sent_to_is_refused(
    usage: None, administrator: Client, fields: dict[str, Any], fault: str
) -> None:
    channel(name="taken")
    page = add(administrator, **fields)
    assert page.status_code == 200
    assert fault in page.text
    assert Channel.objects.count() == 1


def test_each_kind_has_its_own_form(usage: None, administrator: Client) -> None:
    for kind, label in {
        "email": "Addresses", "slack": "Webhook URL", "webhook": "signed JSON",
        "other": "Apprise", "pigeon": "Addresses",
    }.items():  # fmt: skip
        assert label in administrator.get(f"{ADD}?kind={kind}").text


def test_the_secret_of_a_webhook_is_shown_when_it_is_made_and_when_it_is_replaced(
    usage: None, administrator: Client, viewer: Client
) -> None:
    made_page = add(administrator, kind="webhook", name="hook", sends_to=HOOK)
    made = Channel.objects.get()
    first = signing_secret(made)
    assert first in made_page.text
    assert "no-store" in made_page.headers["Cache-Control"]
    assert "secret-part" not in administrator.get(LIST).text
    assert first not in administrator.get(channel_url(made)).text

    rotate = f"{LIST}{made.pk}/rotate/"
    assert administrator.get(rotate).status_code == 405
    assert viewer.post(rotate).status_code == 403
    replaced = administrator.post(rotate)
    made.refresh_from_db()
    assert signing_secret(made) != first
    assert signing_secret(made) in replaced.text
    mail = channel()
    assert administrator.post(f"{LIST}{mail.pk}/rotate/").status_code == 403


def test_a_test_is_sent_at_once_and_its_outcome_told(
    usage: None, administrator: Client, viewer: Client, mailoutbox: list[Any]
) -> None:
    mail, bad = channel(), channel(name="bad", kind="webhook", to="https://no-host.invalid/x")
    test = f"{LIST}{mail.pk}/test/"

    assert viewer.post(test).status_code == 403
    assert "Channel ops took the test." in administrator.post(test, follow=True).text
    assert [message.to for message in mailoutbox] == [["ann@example.org"]]
    told = administrator.post(f"{LIST}{bad.pk}/test/", follow=True).text
    assert notice_url(Notice.objects.get(channel=bad)) in told
    assert "Channel bad: " in told
    shown = administrator.get(LIST).text
    assert ">works</span>" in shown


def test_channels_are_seen_and_changed_within_the_organization(
    usage: None, administrator: Client, viewer: Client, admin_client: Client
) -> None:
    ours, theirs, site = channel(), channel("globex", "globex-ops"), channel(None, "site-ops")

    assert listed(viewer) == listed(administrator) == {"ops"}
    assert listed(admin_client) == {"ops", "globex-ops", "site-ops"}
    seen = viewer.get(channel_url(ours)).text
    assert "a…@example.org" in seen
    assert 'name="_save"' not in seen
    assert viewer.post(channel_url(ours), given()).status_code == 403
    assert viewer.get(ADD).status_code == 403
    for other in (theirs, site):
        assert administrator.get(channel_url(other)).status_code == 302
        for what in ("test", "rotate"):
            assert administrator.post(f"{LIST}{other.pk}/{what}/").status_code == 404
    for owner in ("globex", None):
        add(administrator, owner, name="mine")
    assert not Channel.objects.filter(name="mine").exists()
    add(admin_client, None, name="mine")
    assert Channel.objects.get(name="mine").organization is None


def test_channels_of_the_site_are_changed_with_the_permission(usage: None) -> None:
    site = channel(None, "site-ops")
    user, client = staff("olga"), Client()
    codenames = ("view_all_organizations", "change_channel")
    for number, codename in enumerate(codenames):
        user.user_permissions.add(Permission.objects.get(codename=codename))
        client.force_login(user)
        fields = given(None, name="site-ops", least_severity="critical")
        assert client.post(channel_url(site), fields).status_code == (403, 302)[number]
    site.refresh_from_db()
    assert site.least_severity == "critical"


def test_a_budget_names_channels_of_its_organization_and_of_the_site(
    usage: None, administrator: Client
) -> None:
    assert "No channel yet" in administrator.get(ADD_BUDGET).text
    channel(), channel(None, "site-ops"), channel("globex", "theirs")
    page = administrator.get(ADD_BUDGET).text
    assert "ops (E-mail, acme)" in page
    assert "site-ops (E-mail, the site)" in page
    assert "theirs" not in page

    refused = administrator.post(ADD_BUDGET, form(told_to=["ops", "theirs"]))
    assert "There is no channel &#x27;theirs&#x27;." in refused.text
    assert administrator.post(ADD_BUDGET, form(told_to=["ops", "site-ops"])).status_code == 302
    made = Budget.objects.get()
    assert made.channels == ["ops", "site-ops"]
    assert "told to ops, site-ops" in administrator.get(f"/admin/budgets/budget/{made.pk}/").text
    checked = re.findall(r'value="([\w-]+)"[^>]* checked', administrator.get(change_url(made)).text)
    assert {"ops", "site-ops"} <= set(checked)
    administrator.post(change_url(made), form(told_to=[]))
    made.refresh_from_db()
    assert made.channels == []


def test_notices_tell_every_try_and_can_be_sent_again(
    usage: None, administrator: Client, viewer: Client
) -> None:
    assert "No message here." in viewer.get(NOTICES).text
    alert = overspent()
    row = notice(channel(), alert, state="failed", attempts=2, ended_at=timezone.now())
    now = timezone.now()
    for outcome, code, detail in (("failed", 500, "It answered <500>"), ("sent", 200, "")):
        Delivery.objects.create(notice=row, started_at=now, ended_at=now, outcome=outcome,
                                status_code=code, detail=detail)  # fmt: skip

    shown = viewer.get(NOTICES).text
    for told in ("acme · daily: 120 % of $0.25 used", "acme / ops", "given up", "&lt;500&gt;"):
        assert told in shown
    page = viewer.get(notice_url(row)).text
    for told in (str(row.pk), "It answered &lt;500&gt;", ">sent<", ">failed<", "Every try"):
        assert told in page
    assert "Send again" not in page
    again = f"{NOTICES}{row.pk}/resend/"
    assert viewer.post(again).status_code == 403
    assert administrator.get(again).status_code == 405
    assert "Send again" in administrator.get(notice_url(row)).text
    assert "under the same id" in administrator.post(again, follow=True).text
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("waiting", 0)
    assert administrator.post(again).status_code == 403
    mail = viewer.get(f"{NOTICES}{row.pk}/html/")
    assert "default-src 'none'" in mail.headers["Content-Security-Policy"]
    assert "<script" not in mail.text


def test_notices_of_others_are_not_there_and_those_of_the_site_not_ones_own(
    usage: None, administrator: Client, admin_client: Client
) -> None:
    site = channel(None, "site-ops")
    theirs = notice(channel("globex", "theirs"), silent("globex"), state="sent")
    about_us, of_site = notice(site, silent(), state="sent"), notice(site, state="failed")

    assert listed(administrator, NOTICES) == {str(about_us)}
    assert len(listed(admin_client, NOTICES, f"channel={site.pk}")) == 2
    for hidden in (theirs, of_site):
        assert administrator.get(notice_url(hidden)).status_code in (302, 404)
        for what in ("resend", "html"):
            answer = administrator.get if what == "html" else administrator.post
            assert answer(f"{NOTICES}{hidden.pk}/{what}/").status_code == 404
    assert administrator.get(notice_url(about_us)).status_code == 200
    assert administrator.post(f"{NOTICES}{about_us.pk}/resend/").status_code == 403


def test_lists_cost_no_more_statements_for_many(usage: None, admin_client: Client) -> None:
    statements = []
    for number in range(2):
        for n in range(1 + 10 * number):
            to = channel(name=f"c{number}-{n}")
            notice(to, silent(name=f"k{number}-{n}"))
        with CaptureQueriesContext(connection) as asked:
            listed(admin_client, NOTICES)
            listed(admin_client)
        statements.append(len(asked))
    assert statements[0] == statements[1]
