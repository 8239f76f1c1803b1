from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from tests.config.site_data import staff
from tests.usage.admin_pages import administrator_client, client_of, viewer_client
from tests.usage.reconciling.world import FIRST, GAP, bill_days, seeded, source_of
from usage.models import BillSource, Reconciliation
from usage.reconciling.working import Tolerance, reconcile_month

pytestmark = pytest.mark.django_db
_State = Reconciliation.State
LIST = "admin:usage_reconciliation_changelist"
NARROW = Tolerance(Decimal(1), Decimal("0.10"))


def url(name: str, row: Reconciliation) -> str:
    return reverse(f"admin:usage_reconciliation_{name}", args=(row.pk,))


@pytest.fixture
def october(catalogue: None) -> BillSource:
    return seeded()


@pytest.fixture
def row(october: BillSource) -> Reconciliation:
    return reconcile_month(october, FIRST, tolerance=NARROW)


def test_an_administrator_computes_looks_and_signs_off(october: BillSource) -> None:
    client = administrator_client()
    empty = client.get(reverse(LIST))
    assert "Nothing is reconciled here yet" in empty.text
    form = client.get(reverse("admin:usage_reconciliation_add"))
    assert "acme / Anthropic" in form.text
    asked = {"source": october.pk, "month": "2026-10-01", "tolerance_percent": "1",
             "tolerance_amount": "0.10"}  # fmt: skip
    page = client.post(reverse("admin:usage_reconciliation_add"), asked, follow=True)
    row = Reconciliation.objects.get()
    assert (page.status_code, row.state, row.gap) == (200, _State.LOOK, GAP)
    assert [card["value"] for card in page.context["cards"]] == [
        "$4.28", "$4.25", "+$0.03", "Exceeded"
    ]  # fmt: skip
    assert {item.name: item.amount for item in page.context["classes"] if item.is_far} == {
        "missing_here": Decimal("0.6"), "missing_there": Decimal("-0.6"),
        "cache": Decimal("-0.27"), "other": Decimal("0.2"),
    }  # fmt: skip
    assert "0.029001" in page.text
    seen = {"figures": row.figures, "note": ""}
    assert "say in the note why" in client.post(url("sign", row), seen, follow=True).text
    old = {"figures": "0" * 64, "note": "All known."}
    assert "computed anew" in client.post(url("sign", row), old, follow=True).text
    signed = client.post(url("sign", row), {**seen, "note": "All known."}, follow=True)
    row.refresh_from_db()
    assert (row.state, str(row.signed_by), row.note) == (_State.SIGNED, "adam", "All known.")
    assert "It never changes again." in signed.text
    again = client.post(url("compute", row), follow=True)
    assert "still as they were signed off" in again.text
    assert "signed off already" in client.post(url("sign", row), seen, follow=True).text


def test_the_table_leads_from_models_to_lines_and_their_events(row: Reconciliation) -> None:
    client = viewer_client()
    page = client.get(url("change", row))
    names = [item.name for item in page.context["rows"]]
    assert names == ["no model", "claude-sonnet-4-5", "claude-opus-4-5"]
    to_lines = page.context["rows"][1].url
    lines = client.get(url("change", row) + to_lines).context["rows"]
    assert len(lines) == 8
    assert lines[0].note == "uncached 400,000 billed, 200,000 recorded"
    assert lines[0].reasons == ["missing here +$0.60"]
    events = client.get(lines[0].events_url)
    assert events.context["cl"].result_count == 1
    for by in ("project", "day", "line", "nothing"):
        assert client.get(url("change", row), {"by": by, "day": "x"}).status_code == 200
    one_day = client.get(url("change", row), {"by": "line", "day": "2026-10-20"})
    assert [item.name for item in one_day.context["rows"]] == ["20 Oct · claude-opus-4-5 · api"]
    csv = b"".join(client.get(url("csv", row)).streaming_content).decode()  # type: ignore[attr-defined]
    assert len(csv.splitlines()) == 11
    assert ",claude-opus-4-5,api,," in csv


def test_what_others_billed_is_not_seen_and_viewers_only_look(
    row: Reconciliation, october: BillSource
) -> None:
    stranger = administrator_client("zoe", "globex")
    assert stranger.get(reverse(LIST)).context["cl"].result_count == 0
    assert stranger.get(url("change", row)).status_code == 404
    assert stranger.get(url("csv", row)).status_code == 404
    for name in ("compute", "sign"):
        assert stranger.post(url(name, row)).status_code == 404
    asked = {"source": october.pk, "month": "2026-10-01", "tolerance_percent": "1",
             "tolerance_amount": "9"}  # fmt: skip
    refused = stranger.post(reverse("admin:usage_reconciliation_add"), asked)
    assert "source" in refused.context["form"].errors
    viewer = viewer_client()
    assert "can sign it off" in viewer.get(url("change", row)).text
    for name in ("compute", "sign"):
        assert viewer.post(url(name, row), {"figures": row.figures}).status_code == 403
    assert viewer.get(reverse("admin:usage_reconciliation_add")).status_code == 403
    nobody = client_of(staff("nina"))
    assert nobody.get(url("change", row)).status_code in (403, 404)
    row.refresh_from_db()
    assert (row.state, row.tolerance_amount) == (_State.LOOK, Decimal("0.10"))


def test_a_month_that_is_not_billed_yet_is_not_signed(
    catalogue: None, admin_client: Client
) -> None:
    seeded()
    source = source_of("globex")
    bill_days(source, FIRST, FIRST)
    row = reconcile_month(source, FIRST)
    page = admin_client.get(url("change", row))
    assert "Nothing was billed or recorded" in page.text
    assert "once all of its days are billed" in page.text
    refused = admin_client.post(url("sign", row), {"figures": row.figures}, follow=True)
    assert "Not all of its days are billed yet" in refused.text


def test_the_page_of_a_signed_one_tells_of_changes_since(
    row: Reconciliation, october: BillSource
) -> None:
    Reconciliation.objects.filter(pk=row.pk).update(state=_State.SIGNED)
    client = administrator_client()
    assert "Since this was signed off" not in client.get(url("change", row)).text
    october.bill_projects.filter(external_id="wrk_api").delete()
    assert "Since this was signed off" in client.get(url("change", row)).text
    other = client.post(url("compute", row), follow=True)
    assert other.context["row"].pk != row.pk
    assert [each.pk for each in other.context["others"]] == [row.pk]
