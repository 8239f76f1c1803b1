from datetime import date
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.usage.admin_pages import administrator_client, client_of, viewer_client
from tests.usage.bills.provider import (
    ANTHROPIC_KEY,
    COST,
    OPENAI_KEY,
    OPENROUTER_KEY,
    YESTERDAY,
    Provider,
    a_source,
    anthropic_day,
    cost,
    failing,
    page,
)
from usage.bills.keys import WrongKey, check_key, key_of, kind_of_key
from usage.models import BillLine, BillProject, BillSource, Organization, Project
from usage.organizations import ensure_organization

pytestmark = pytest.mark.django_db
LIST = "admin:usage_billsource_changelist"
ROWS = {"bill_projects-TOTAL_FORMS": 0, "bill_projects-INITIAL_FORMS": 0}


@pytest.fixture
def acme() -> Organization:
    ensure_organization("globex")
    return ensure_organization("acme")


def root() -> Client:
    return client_of(User.objects.create_superuser("root"))


def given(organization: Organization, **fields: Any) -> dict[str, Any]:
    return {
        "organization": organization.pk, "name": "Claude", "kind": "", "providers": "",
        "key": ANTHROPIC_KEY, "first_day": "2026-10-01", "enabled": "on", **fields,
    }  # fmt: skip


def add(client: Client, organization: Organization, **fields: Any) -> Any:
    return client.post(reverse("admin:usage_billsource_add"), given(organization, **fields))


def address(name: str, source: BillSource) -> str:
    return reverse(f"admin:usage_billsource_{name}", args=(source.pk,))


@pytest.mark.parametrize(
    ("key", "kind"),
    [(ANTHROPIC_KEY, "anthropic"), (OPENAI_KEY, "openai"), (OPENROUTER_KEY, "openrouter")],
)
def test_the_key_tells_whose_bill_it_is_and_is_never_shown(
    acme: Organization, key: str, kind: str
) -> None:
    client = administrator_client()
    assert add(client, acme, key=key).status_code == 302
    source = BillSource.objects.get()
    assert (source.kind, source.providers, key_of(source)) == (kind, [kind], key)
    assert key not in source.sealed_key
    shown = client.get(address("change", source)).content.decode()
    assert key not in shown
    assert f"…{key[-4:]}" in shown
    client.post(address("change", source), {**given(acme, key="", name="Mine"), **ROWS})
    source.refresh_from_db()
    assert (source.name, key_of(source)) == ("Mine", key)


def test_a_key_of_another_provider_or_one_that_reads_no_bills_is_refused(
    acme: Organization,
) -> None:
    client = administrator_client()
    for kind, key, fault in (
        ("openai", ANTHROPIC_KEY, "This is a key of Anthropic, not of OpenAI."),
        ("", "sk-ant-api03-x", "This key reads no bills: Anthropic needs an admin key"),
        ("", "sk-proj-x", "This key reads no bills: OpenAI needs an admin key"),
        ("openai", "hunter2", "This is no key of OpenAI."),
        ("anthropic", f"{ANTHROPIC_KEY} x", "A key has no blanks and only plain characters."),
        ("file", ANTHROPIC_KEY, "Only files are read: it has no key."),
        ("", "", "Choose one: no key tells it."),
        ("anthropic", "", "Enter a key: the one of the server is for site staff."),
    ):
        answer = add(client, acme, kind=kind, key=key)
        assert fault in answer.content.decode(), (kind, key)
    assert not BillSource.objects.exists()
    assert kind_of_key("hunter2") is None
    with pytest.raises(WrongKey):
        check_key("openrouter", OPENAI_KEY)


def test_only_site_staff_lets_a_bill_be_read_with_the_key_of_the_server(
    acme: Organization, settings: LazySettings
) -> None:
    settings.TALLYMAN_BILL_KEYS = {"openai": OPENAI_KEY}
    assert add(root(), acme, kind="openai", key="").status_code == 302
    assert key_of(BillSource.objects.get()) == OPENAI_KEY


def test_a_bill_is_fetched_now_and_its_projects_are_told_from_each_other(
    acme: Organization, provider: Provider
) -> None:
    client = administrator_client()
    web = Project.objects.create(organization=acme, slug="web")
    theirs = Project.objects.create(
        organization=ensure_organization("globex"), slug="hidden-from-acme"
    )
    source = a_source(first_day=date(2026, 11, 1))
    parts = [anthropic_day(YESTERDAY, cost("150"), cost("3", workspace_id="wrkspc_1"))]
    provider.will_answer(COST, page(*parts))
    answer = client.post(address("fetch", source), follow=True)
    assert "2 lines stored" in answer.content.decode()
    row = BillProject.objects.get(external_id="wrkspc_1")
    other = BillProject.objects.get(external_id="")
    shown = client.get(address("change", source)).content.decode()
    assert "wrkspc_1" in shown
    assert "hidden-from-acme" not in shown

    def rows(project: Project) -> dict[str, Any]:
        return {
            **given(acme, key=""), "bill_projects-TOTAL_FORMS": 2,
            "bill_projects-INITIAL_FORMS": 2, "bill_projects-0-id": other.pk,
            "bill_projects-0-source": source.pk, "bill_projects-0-project": "",
            "bill_projects-1-id": row.pk, "bill_projects-1-source": source.pk,
            "bill_projects-1-external_name": "Shop", "bill_projects-1-project": project.pk,
        }  # fmt: skip

    assert client.post(address("change", source), rows(theirs)).status_code == 200
    assert client.post(address("change", source), rows(web)).status_code == 302
    row.refresh_from_db()
    assert (row.project, row.external_name) == (web, "Shop")

    lines = client.get(reverse("admin:usage_billline_changelist")).content.decode()
    assert "claude-sonnet-4-5" in lines
    assert "$1.5000" in lines
    line = BillLine.objects.first()
    assert line is not None
    exact = client.get(reverse("admin:usage_billline_change", args=(line.pk,)))
    assert "1.5000000000 USD" in exact.content.decode()

    provider.will_answer(COST, failing(401))
    answer = client.post(address("fetch", source), follow=True)
    assert "The bill was not fetched. 127.0.0.1 does not accept the key" in answer.content.decode()
    listed = client.get(reverse(LIST)).content.decode()
    assert "failing" in listed
    assert ANTHROPIC_KEY not in listed + answer.content.decode()


def test_an_earlier_first_day_is_fetched_from_there_again(acme: Organization) -> None:
    source = a_source(first_day=date(2026, 10, 15), fetched_until=YESTERDAY)
    client = administrator_client()
    client.post(address("change", source), {**given(acme, first_day="2026-10-20"), **ROWS})
    source.refresh_from_db()
    assert (source.first_day, source.fetched_until) == (date(2026, 10, 20), YESTERDAY)
    client.post(address("change", source), {**given(acme), **ROWS})
    source.refresh_from_db()
    assert source.fetched_until is None


def test_files_are_taken_in_a_page(acme: Organization) -> None:
    source = a_source()
    client = administrator_client()
    two = [
        SimpleUploadedFile(f"{n}.json", page(anthropic_day(date(2026, 10, n), cost("1"))).body)
        for n in (1, 2)
    ]
    answer = client.post(address("files", source), {"reports": two}, follow=True)
    assert "2 days with 2 lines stored." in answer.content.decode()
    bad = SimpleUploadedFile("bad.csv", b"a,b\n1,2\n")
    answer = client.post(address("files", source), {"reports": [bad]})
    assert "Nothing was stored. bad.csv: It is no export of Anthropic" in answer.content.decode()
    assert client.post(address("files", source), {}).status_code == 200
    assert BillLine.objects.count() == 2


def test_nobody_reaches_bills_of_another_organization(acme: Organization) -> None:
    source = a_source(organization="globex", name="Secret bill")
    file = page(anthropic_day(date(2026, 10, 1), cost("1"))).body
    root_client = root()
    root_client.post(address("files", source), {"reports": [SimpleUploadedFile("f.json", file)]})
    line = BillLine.objects.get()
    for client in (administrator_client(), viewer_client()):
        for url in (
            address("files", source),
            reverse("admin:usage_billline_change", args=(line.pk,)),
            address("change", source),
        ):
            assert client.get(url).status_code in (302, 404), url
        assert client.post(address("fetch", source)).status_code == 404
        for url in (reverse(LIST), reverse("admin:usage_billline_changelist")):
            shown = client.get(url).content.decode()
            assert "Secret bill" not in shown
            assert "claude-sonnet" not in shown
    assert (
        add(administrator_client("eve"), Organization.objects.get(slug="globex")).status_code == 200
    )
    assert BillSource.objects.count() == 1


def test_who_only_looks_on_sees_a_bill_and_changes_nothing(acme: Organization) -> None:
    source = a_source()
    client = viewer_client()
    shown = client.get(address("change", source))
    assert shown.status_code == 200
    assert b'name="key"' not in shown.content
    assert b"Fetch now" not in shown.content
    assert client.post(address("fetch", source)).status_code == 403
    assert client.get(address("files", source)).status_code == 403
    assert client.get(reverse("admin:usage_billsource_add")).status_code == 403
