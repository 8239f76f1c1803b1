from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.db import Error, IntegrityError, connection, connections, transaction
from django.db.models import Model
from django.utils import timezone

from pricing.models import Price, PriceChange, PriceTier, PriceVersion, RateCard
from pricing.price_book import PriceBook, current_book
from pricing.publishing import PriceError, Provenance, end_versions, record_change
from pricing.rating import MeterPrice, rate
from pricing.revision import begin_price_change, current_revision
from pricing.selectors import MANUAL, named_card
from tests.published import publish_price

MAY = datetime(2026, 5, 1, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def publish(
    unit_price: str, since: datetime, card: RateCard | None = None, currency: str = "USD"
) -> PriceVersion:
    tiers = ((1000, Decimal(unit_price) * 2),)
    return publish_price(
        rate_card=card or named_card(MANUAL),
        provider="Shop",
        model="M-1",
        prices=[MeterPrice("input_tokens", Decimal(unit_price), 1_000_000, tiers)],
        effective_from=since,
        source=Provenance("manual", reason="new contract"),
        currency=currency,
    )


def end(version: PriceVersion, at: datetime) -> None:
    change = record_change(PriceChange.Action.UPDATE, Provenance("manual"), 1)
    end_versions({version.pk: at}, change)


def price_at(at: datetime) -> Decimal | None:
    found = current_book().find("shop", "m-1", at)
    return None if found is None else rate({"input_tokens": 1_000}, found).cost * 1000


@pytest.mark.django_db
def test_a_new_price_ends_the_running_one_where_it_begins() -> None:
    publish("1", MAY)
    publish("2", JUNE)
    days = (MAY - DAY, MAY, JUNE - DAY, JUNE, JUNE + DAY)
    assert [price_at(day) for day in days] == [None, 1, 1, 2, 2]


@pytest.mark.django_db
def test_a_price_before_a_planned_one_ends_where_that_begins() -> None:
    publish("2", JUNE)
    publish("1", MAY)
    assert [price_at(day) for day in (MAY, JUNE - DAY, JUNE)] == [1, 1, 2]


@pytest.mark.django_db
def test_a_price_with_the_start_of_another_replaces_it_and_keeps_it_on_record() -> None:
    first = publish("1", MAY)
    publish("3", MAY)
    assert price_at(MAY) == 3
    first.refresh_from_db()
    assert first.effective_to == first.effective_from
    assert first.prices.get().unit_price == 1


@pytest.mark.django_db
def test_prices_of_one_card_may_be_in_several_currencies() -> None:
    card = RateCard.objects.create(name="euro", kind="contracted")
    publish("1", MAY - DAY, card)
    publish("1", MAY, card, "EUR")
    found = current_book().find("shop", "m-1", MAY, "standard", card.pk)
    before = current_book().find("shop", "m-1", MAY - DAY, "standard", card.pk)
    assert found is not None
    assert before is not None
    assert (before.currency, found.currency) == ("USD", "EUR")


@pytest.mark.django_db
def test_a_negative_price_is_refused_by_the_stage_and_by_the_database() -> None:
    with pytest.raises(PriceError), transaction.atomic():
        publish("-1", MAY)
    version = publish("1", MAY)
    with pytest.raises(IntegrityError), transaction.atomic():
        Price.objects.create(version=version, meter="output_tokens", unit_price=-1)


def change_price(version: PriceVersion) -> None:
    Price.objects.filter(version=version).update(unit_price=5)


def change_tier(version: PriceVersion) -> None:
    PriceTier.objects.filter(price__version=version).update(above=5)


def change_start(version: PriceVersion) -> None:
    PriceVersion.objects.filter(pk=version.pk).update(effective_from=MAY - DAY)


def change_reason(version: PriceVersion) -> None:
    PriceVersion.objects.filter(pk=version.pk).update(reason="better story")


def reopen(version: PriceVersion) -> None:
    end(version, JUNE)
    PriceVersion.objects.filter(pk=version.pk).update(effective_to=None)


def prolong(version: PriceVersion) -> None:
    end(version, JUNE)
    end(version, JUNE + DAY)


def delete_from(table: type[Model]) -> Callable[[PriceVersion], None]:
    def delete(version: PriceVersion) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table._meta.db_table}")

    return delete


def add_price_later(version: PriceVersion) -> None:
    # A version made by an earlier transaction.
    old = PriceVersion.objects.create(
        rate_card=version.rate_card,
        model=version.model,
        effective_from=MAY - DAY,
        effective_to=MAY,
        created_at=timezone.now() - DAY,
    )
    Price.objects.create(version=old, meter="output_tokens", unit_price=1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "attempt",
    [
        change_price,
        change_tier,
        change_start,
        change_reason,
        reopen,
        prolong,
        delete_from(PriceVersion),
        delete_from(Price),
        delete_from(PriceTier),
        add_price_later,
    ],
)
def test_the_database_refuses_to_rewrite_prices(
    attempt: Callable[[PriceVersion], None],
) -> None:
    version = publish("1", MAY)
    with pytest.raises(Error, match="append-only"), transaction.atomic():
        attempt(version)


@pytest.mark.django_db
def test_a_user_who_leaves_does_not_keep_prices_from_being_kept() -> None:
    user = get_user_model().objects.create(username="pat")
    version = publish_price(
        rate_card=named_card(MANUAL),
        provider="shop",
        model="m-1",
        prices=[MeterPrice("input_tokens", Decimal(1), 1_000_000)],
        effective_from=MAY,
        source=Provenance("manual", created_by_id=user.pk),
    )
    assert version.created_by_id == user.pk
    user.delete()
    version.refresh_from_db()
    assert version.created_by_id is None


@pytest.mark.django_db
def test_every_change_has_a_revision_of_its_own_even_when_rolled_back() -> None:
    seen = [current_revision()]
    for _ in range(2):
        begin_price_change()
        seen.append(current_revision())
    with transaction.atomic():
        begin_price_change()
        seen.append(current_revision())
        transaction.set_rollback(True)
    assert current_revision() == seen[2]
    begin_price_change()
    seen.append(current_revision())
    assert len(set(seen)) == 5


@pytest.mark.django_db(transaction=True)
def test_a_price_change_needs_a_transaction() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        begin_price_change()


@pytest.mark.django_db(transaction=True)
def test_another_connection_notices_a_new_price_when_it_is_committed() -> None:
    publish("1", MAY)
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT number FROM pricing_revision")
            (before,) = cursor.fetchone()
            with transaction.atomic():
                publish("2", JUNE)
                cursor.execute("SELECT number FROM pricing_revision")
                assert cursor.fetchone() == (before,)
            cursor.execute("SELECT number FROM pricing_revision")
            (after,) = cursor.fetchone()
    finally:
        other.close()
    assert after != before
    assert current_book().revision == after


@pytest.mark.django_db
def test_a_book_of_an_older_revision_keeps_answering_as_it_did() -> None:
    publish("1", MAY)
    book = current_book()
    assert book.find("shop", "m-1", JUNE) is not None
    publish("2", JUNE)
    assert isinstance(book, PriceBook)
    assert current_book() is not book
    found = book.find("shop", "m-1", JUNE)
    assert found is not None
    assert found.prices[0].unit_price == 1
