import pytest
from django.contrib.admin.models import LogEntry
from django.db.utils import IntegrityError
from django.test import Client
from django.urls import reverse

from tests.config.site_data import staff
from tests.usage.admin_pages import administrator_client, client_of, viewer_client
from usage.mapping import current
from usage.mapping.current import rule_book
from usage.mapping.shipped import SHIPPED
from usage.models import AttributeRule, Organization
from usage.organizations import ensure_organization

pytestmark = pytest.mark.django_db
LIST = "admin:usage_attributerule_changelist"
RESOURCE = {"squad": "blue"}


@pytest.fixture
def acme() -> Organization:
    ensure_organization("globex")
    return ensure_organization("acme")


def asked(**fields: object) -> dict[str, object]:
    return {
        "position": 500, "attribute": "squad", "value": "", "target": "team", "tag": "",
        "becomes": "", "enabled": "on", **fields,
    }  # fmt: skip


def page(rule: AttributeRule, view: str = "change") -> str:
    return reverse(f"admin:usage_attributerule_{view}", args=(rule.pk,))


def test_the_shipped_rules_are_rows_in_their_order_and_in_force() -> None:
    rows = AttributeRule.objects.order_by("position").values_list("shipped", "target")
    assert list(rows) == [(rule.code, rule.target) for rule in SHIPPED]
    assert rule_book().map([{"team.id": "search"}], "acme") == {"team": "search"}
    with pytest.raises(IntegrityError):
        AttributeRule.objects.create(attribute="x", target="tag", shipped=SHIPPED[0].code)


def test_edits_take_effect_without_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(current, "monotonic", lambda: clock[0])
    assert rule_book().map([{}, RESOURCE], "acme") == {"tags": RESOURCE}
    AttributeRule.objects.create(attribute="squad", target="team")
    assert rule_book().map([{}, RESOURCE], "acme") == {"tags": RESOURCE}
    clock[0] += current.KEPT_SECONDS + 1
    assert rule_book().map([{}, RESOURCE], "acme") == {"team": "blue"}


def test_site_staff_add_and_switch_rules_and_each_change_is_logged(
    acme: Organization, admin_client: Client
) -> None:
    client = admin_client
    added = client.post(reverse("admin:usage_attributerule_add"), asked(organization=""))
    assert added.status_code == 302
    rule = AttributeRule.objects.get(shipped="")
    assert rule_book().map([{}, RESOURCE], "acme") == {"team": "blue"}
    client.post(reverse(LIST), {"action": "switch_off", "_selected_action": [rule.pk]})
    assert rule_book().map([{}, RESOURCE], "acme") == {"tags": RESOURCE}
    assert {entry.get_change_message() for entry in LogEntry.objects.all()} == {
        "Added.", "Switched off.",
    }  # fmt: skip


def test_shipped_rules_are_changed_switched_off_and_put_back_but_never_deleted(
    admin_client: Client,
) -> None:
    client = admin_client
    own = AttributeRule.objects.create(attribute="squad", target="team")
    first = AttributeRule.objects.get(shipped="team.id")
    client.post(page(first), asked(attribute="team.id", target="project", position=7))
    assert rule_book().map([{"team.id": "search"}], "acme") == {"project": "search"}
    assert client.post(page(first, "delete"), {"post": "yes"}).status_code == 403
    reset = reverse("admin:usage_attributerule_reset")
    assert "Put them back" in client.get(reset).text
    assert "1 of the shipped rules put back" in client.post(reset, follow=True).text
    assert rule_book().map([{"team.id": "search"}], "acme") == {"team": "search"}
    assert client.post(page(own, "delete"), {"post": "yes"}).status_code == 302
    assert AttributeRule.objects.count() == len(SHIPPED)


def test_administrators_change_the_rules_of_their_own_organization_alone(
    acme: Organization,
) -> None:
    site = AttributeRule.objects.get(shipped="team.id")
    globex = Organization.objects.get(slug="globex")
    theirs = AttributeRule.objects.create(attribute="hush", target="team", organization=globex)
    client = administrator_client()
    add = reverse("admin:usage_attributerule_add")
    assert client.post(add, asked(organization="")).status_code == 200
    assert client.post(add, asked(organization=globex.pk)).status_code == 200
    assert client.post(add, asked(organization=acme.pk)).status_code == 302
    mine = AttributeRule.objects.get(organization=acme)
    listed = client.get(reverse(LIST)).text
    assert "user.email" in listed
    assert "hush" not in listed
    assert client.get(page(site)).status_code == 200
    assert client.post(page(site), asked()).status_code == 403
    assert client.get(page(theirs)).status_code == 302
    chosen = [site.pk, theirs.pk, mine.pk]
    client.post(reverse(LIST), {"action": "switch_off", "_selected_action": chosen})
    assert list(AttributeRule.objects.filter(enabled=False)) == [mine]
    client.post(
        reverse(LIST), {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    )
    assert AttributeRule.objects.filter(pk__in=chosen).count() == 3
    assert client.post(reverse("admin:usage_attributerule_reset")).status_code == 403


def test_viewers_see_rules_and_change_none(acme: Organization) -> None:
    client = viewer_client()
    assert client.get(reverse(LIST)).status_code == 200
    assert client.get(reverse("admin:usage_attributerule_add")).status_code == 403
    mine = AttributeRule.objects.create(attribute="x", target="team", organization=acme)
    assert client.post(page(mine), asked()).status_code == 403


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"target": "organization"}, "Only a rule for every organization"),
        ({"tag": "name"}, "Only a tag has a name of its own"),
        ({"attribute": "a\x01"}, "Control characters"),
        ({"target": "nonsense"}, "Select a valid choice"),
    ],
)
def test_rules_that_could_have_no_effect_are_refused(
    acme: Organization, fields: dict[str, object], fault: str
) -> None:
    client = administrator_client()
    answer = client.post(
        reverse("admin:usage_attributerule_add"), asked(organization=acme.pk, **fields)
    )
    assert fault in answer.text
    assert not AttributeRule.objects.filter(shipped="").exists()


def test_pasted_attributes_show_what_becomes_of_them_and_why(acme: Organization) -> None:
    address = reverse("admin:usage_attributerule_try")
    resource = "team.id=search,cost_center=eng-1\nservice.name=claude-code\nteam=other"
    record = '[{"key": "prompt", "value": {"stringValue": "hush"}}, {"key": "n", "value": {}}]'
    client = viewer_client()
    shown = client.post(
        address, {"organization": "acme", "record": record, "resource": resource}
    ).text
    assert "<td>search</td>" in shown
    assert "<td>cost_center=eng-1</td>" in shown
    assert "left out: another comes first" in shown
    assert "never read: may hold a prompt, an answer or a secret" in shown
    assert shown.count("hush") == 1  # what was pasted, in its own box
    for wrong in ("{", "[1]", "no pair"):
        answer = client.post(address, {"organization": "acme", "record": wrong})
        assert "errorlist" in answer.text
    assert client.post(address, {"organization": "globex", "record": "{}"}).status_code == 200
    stranger = client_of(staff("sid"))
    assert stranger.get(address).status_code == 403


def test_the_site_key_is_offered_only_to_those_who_see_everything(
    acme: Organization, admin_client: Client
) -> None:
    address = reverse("admin:usage_attributerule_try")
    assert "a site key" in admin_client.get(address).text
    assert "a site key" not in administrator_client().get(address).text
