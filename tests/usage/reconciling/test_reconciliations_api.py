from collections.abc import Callable
from decimal import Decimal
from io import StringIO

import msgspec
import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from tests.usage.reconciling.world import FIRST, seeded, source_of
from usage.api.schema.reconciliations import ReconciliationBody, ReconciliationsBody
from usage.models import BillSource, Reconciliation
from usage.reconciling.working import reconcile_month

pytestmark = pytest.mark.django_db
URL = "/api/v1/reconciliations/"


@pytest.fixture
def october(catalogue: None) -> BillSource:
    return seeded()


def test_a_key_reads_its_organizations_reconciliations(
    october: BillSource, client_for: Callable[..., APIClient]
) -> None:
    row = reconcile_month(october, FIRST)
    reconcile_month(october, FIRST.replace(month=9))
    client = client_for("acme", "read")
    page = client.get(URL, {"limit": 1})
    listed = msgspec.json.decode(page.content, type=ReconciliationsBody)
    assert [item.id for item in listed.results] == [row.pk]
    assert listed.next
    rest = msgspec.json.decode(client.get(listed.next).content, type=ReconciliationsBody)
    assert [item.from_.month for item in rest.results] == [9]
    assert rest.next is None
    filters = {"month": "2026-10", "state": "within", "source": "Anthropic", "organization": "acme"}
    assert len(client.get(URL, filters).json()["results"]) == 1
    assert client.get(URL, {"month": "2026-1"}).status_code == 400
    body = client.get(f"{URL}{row.pk}/").content
    found = msgspec.json.decode(body, type=ReconciliationBody)
    assert (found.billed, found.gap, found.has_changed) == ("4.2800000000", "0.0290010000", None)
    assert sum(Decimal(line.gap) for line in found.lines) == Decimal(found.gap)
    csv = client.get(f"{URL}{row.pk}/", {"format": "csv"})
    assert len(csv.getvalue().splitlines()) == 11
    Reconciliation.objects.filter(pk=row.pk).update(state=Reconciliation.State.SIGNED)
    assert client.get(f"{URL}{row.pk}").json()["has_changed"] is False


def test_keys_of_others_and_keys_that_may_not_read_get_nothing(
    october: BillSource, client_for: Callable[..., APIClient]
) -> None:
    row = reconcile_month(october, FIRST)
    stranger = client_for("globex", "read")
    assert stranger.get(URL).json()["results"] == []
    assert stranger.get(URL, {"organization": "acme"}).json()["results"] == []
    assert stranger.get(f"{URL}{row.pk}/").status_code == 404
    for odd in ("x", "-1", str(2**40), str(2**80)):
        assert stranger.get(f"{URL}{odd}/").status_code == 404
    assert client_for("acme", "ingest").get(f"{URL}{row.pk}/").status_code == 403
    assert len(client_for(None, "read").get(URL).json()["results"]) == 1


def test_the_command_prints_the_table_and_fails_out_of_tolerance(october: BillSource) -> None:
    out = StringIO()
    call_command("reconcile", "Anthropic", "--month", "2026-10", stdout=out)
    lines = out.getvalue().splitlines()
    assert "within tolerance" in lines[0]
    assert any("claude-opus-4-5" in line and "0.5000000000" in line for line in lines)
    assert any("rounding" in line and "-0.0009990000" in line for line in lines)
    narrow = ["Anthropic", "--month", "2026-10", "--tolerance-amount", "0.5"]
    with pytest.raises(CommandError, match="needs a look") as fault:
        call_command("reconcile", *narrow, stdout=StringIO())
    assert fault.value.returncode == 1
    source_of("globex")
    for words in (["Nobody"], ["Anthropic"], [*narrow[:2], "x", "--organization", "acme"]):
        with pytest.raises(CommandError) as fault:
            call_command("reconcile", *words, stdout=StringIO())
        assert fault.value.returncode == 2
