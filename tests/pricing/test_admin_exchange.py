from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from pricing.exchange import DatedRate, set_rates
from pricing.models import ExchangeRate, PriceChange
from pricing.publishing import Provenance
from tests.pricing.pages import staff_client

pytestmark = pytest.mark.django_db
LIST = "admin:pricing_exchangerate_changelist"
ADD = "admin:pricing_exchangerate_add"
IMPORT = "admin:pricing_exchangerate_import"
RATE = {"base": "eur", "quote": "USD", "rate": "1.1587", "day": "2026-11-20", "reason": "bank"}
OURS = (
    "day,base,quote,rate\n2026-11-19,EUR,USD,1.1\n2026-11-20,EUR,USD,1.2\n2026-11-20,EUR,GBP,0.9\n"
)


def upload(client: Client, text: str, name: str = "rates.csv") -> Any:
    file = SimpleUploadedFile(name, text.encode())
    return client.post(reverse(IMPORT), {"file": file})


def test_an_empty_list_says_what_rates_are_for(admin_client: Client) -> None:
    assert "needed where prices are in another currency" in admin_client.get(reverse(LIST)).text


def test_a_rate_is_set_by_hand_and_recorded(admin_client: Client, admin_user: Any) -> None:
    answer = admin_client.post(reverse(ADD), RATE, follow=True)

    rate = ExchangeRate.objects.get()
    assert (rate.base, rate.quote, rate.day) == ("EUR", "USD", date(2026, 11, 20))
    assert rate.rate == Decimal("1.1587")
    assert "1 exchange rate stored." in answer.text
    assert "1 EUR = 1.1587 USD" in answer.text
    change = PriceChange.objects.order_by("-id")[0]
    assert (change.action, change.made_by, change.reason) == (
        PriceChange.Action.EXCHANGE, admin_user, "bank",
    )  # fmt: skip
    again = admin_client.post(reverse(ADD), RATE, follow=True)
    assert "0 exchange rates stored, 1 known before." in again.text


@pytest.mark.parametrize(
    "wrong",
    [{"base": "EURO"}, {"base": "USD"}, {"rate": "0"}, {"rate": "-1"}, {"rate": "x"},
     {"rate": "1.1234567890123"}, {"day": "2026-13-01"}, {"day": "1950-01-01"}, {"quote": "12$"}],
)  # fmt: skip
def test_a_wrong_rate_is_refused(admin_client: Client, wrong: dict[str, str]) -> None:
    answer = admin_client.post(reverse(ADD), {**RATE, **wrong})

    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert not ExchangeRate.objects.exists()


def test_a_file_is_looked_through_before_it_is_stored(admin_client: Client) -> None:
    preview = upload(admin_client, OURS)

    assert not ExchangeRate.objects.exists()
    assert "3 rates of 2 pairs of currencies" in preview.text
    pairs = {(pair.base, pair.quote): pair for pair in preview.context["pairs"]}
    dollars = pairs["EUR", "USD"]
    assert (dollars.count, dollars.first, dollars.last) == (
        2,
        date(2026, 11, 19),
        date(2026, 11, 20),
    )
    assert dollars.latest == Decimal("1.2")

    sent = {name: preview.context["form"].initial[name] for name in ("name", "content")}
    answer = admin_client.post(reverse(IMPORT), sent, follow=True)
    assert "3 exchange rates stored." in answer.text
    assert ExchangeRate.objects.count() == 3
    assert PriceChange.objects.order_by("-id")[0].source_version == "rates.csv"


def test_the_same_file_twice_stores_nothing_more(admin_client: Client) -> None:
    sent = upload(admin_client, OURS).context["form"].initial
    for _ in range(2):
        answer = admin_client.post(reverse(IMPORT), sent, follow=True)

    assert "0 exchange rates stored, 3 known before." in answer.text
    assert ExchangeRate.objects.count() == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (OURS.replace("1.2", "much"), "line 3"),
        ("what,is,this\n1,2,3\n", "line 1"),
        ("", "file"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(admin_client: Client, text: str, told: str) -> None:
    answer = upload(admin_client, text)

    assert told in answer.context["form"].errors.as_text()
    assert not ExchangeRate.objects.exists()


def test_what_was_looked_through_cannot_be_swapped_for_nonsense(admin_client: Client) -> None:
    for content in ("not base 64!", "bm90IGEgZmlsZQ=="):
        answer = admin_client.post(reverse(IMPORT), {"name": "x.csv", "content": content})
        assert answer.context["form"].errors
    assert not ExchangeRate.objects.exists()


def test_stored_rates_are_read_only_and_filtered(admin_client: Client) -> None:
    rates = [DatedRate("EUR", quote, date(2026, 11, 20), Decimal(1)) for quote in ("USD", "GBP")]
    set_rates(rates, Provenance("test"))
    row = ExchangeRate.objects.get(quote="GBP")

    listed = admin_client.get(reverse(LIST), {"quote": "GBP"})
    assert [rate.quote for rate in listed.context["cl"].result_list] == ["GBP"]
    page = reverse("admin:pricing_exchangerate_change", args=[row.pk])
    assert admin_client.get(page).status_code == 200
    assert admin_client.post(page, {"rate": "2"}).status_code == 403
    assert admin_client.post(page.replace("/change/", "/delete/")).status_code == 403


def test_only_those_with_the_right_set_rates() -> None:
    reader = staff_client("rita", "view_exchangerate")

    listed = reader.get(reverse(LIST))
    assert listed.status_code == 200
    assert "Import a file" not in listed.text
    for name in (ADD, IMPORT):
        assert reader.get(reverse(name)).status_code == 403
        assert reader.post(reverse(name), RATE).status_code == 403
    assert staff_client("nina").get(reverse(LIST)).status_code == 403
    assert staff_client("sam", "add_exchangerate").post(reverse(ADD), RATE).status_code == 302
    assert ExchangeRate.objects.count() == 1


def test_rates_need_the_form_of_this_site(admin_user: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)

    assert client.post(reverse(ADD), RATE).status_code == 403
    assert client.post(reverse(IMPORT), {"name": "a", "content": "b"}).status_code == 403
