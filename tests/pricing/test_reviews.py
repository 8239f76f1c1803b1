from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from pricing.catalogue import sync_prices
from pricing.models import PriceChange, PriceReview, PriceVersion
from pricing.price_book import current_book
from pricing.rating import rate
from pricing.reviews import AlreadyDecided, accept, dismiss
from tests.pricing.price_server import PriceServer, model, shop

pytestmark = pytest.mark.usefixtures("no_prices")

OPEN, ACCEPTED, DISMISSED = PriceReview.Status.values


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("reviewer")


def cost(name: str = "m") -> Decimal | None:
    found = current_book().find("shop", name, timezone.now())
    return None if found is None else rate({"input_tokens": 1_000_000}, found).cost


@pytest.fixture
def review(price_server: PriceServer) -> PriceReview:
    price_server.say(shop(model("m", input_mtok=1, output_mtok=5), model("n", input_mtok=1)))
    sync_prices()
    price_server.say(shop(model("m", input_mtok=11, output_mtok=6), model("n", input_mtok=2)))
    row = sync_prices()
    assert (row.status, row.added, row.closed, row.refused) == ("changed", 1, 1, 1)
    return PriceReview.objects.get()


def test_a_price_far_off_is_listed_and_everything_else_stored(review: PriceReview) -> None:
    assert [cost("m"), cost("n")] == [1, 2]
    assert (review.provider, review.model, review.service_tier) == ("shop", "m", "standard")
    assert (review.fault, review.meter, review.status) == ("too_far", "input_tokens", OPEN)
    assert (review.known_price, review.listed_price) == (Decimal(1), Decimal(11))
    assert (review.per, review.currency, review.effective_from) == (1_000_000, "USD", None)


def test_it_is_listed_once_however_often_it_is_seen(
    review: PriceReview, price_server: PriceServer
) -> None:
    assert sync_prices().refused == 1
    price_server.say(shop(model("n", input_mtok=3), model("m", input_mtok=11, output_mtok=6)))
    assert sync_prices().refused == 1
    assert PriceReview.objects.get() == review
    assert [cost("m"), cost("n")] == [1, 3]


def test_accepting_stores_exactly_that_price_at_once(review: PriceReview, user: User) -> None:
    row = accept(review, user)
    assert (row.status, row.added, row.closed, row.refused) == ("changed", 1, 1, 0)
    assert cost() == 11
    assert (review.status, review.decided_by) == (ACCEPTED, user)
    assert review.decided_at is not None
    version = PriceVersion.objects.latest("id")
    assert version.created_by == user
    assert version.reason == "catalogue sync, accepted in a review"
    assert accept(review, user).status == "unchanged"
    with pytest.raises(AlreadyDecided, match="accepted"):
        dismiss(review, user)


def test_accepting_lets_no_other_price_in(
    review: PriceReview, user: User, price_server: PriceServer
) -> None:
    price_server.say(shop(model("m", input_mtok=110, output_mtok=6), model("n", input_mtok=2)))
    row = accept(review, user)
    assert (row.status, row.added, row.refused) == ("unchanged", 0, 1)
    assert cost() == Decimal(1)
    assert PriceReview.objects.get(status=OPEN).listed_price == 110


def test_accepted_prices_wait_for_a_sync_that_works(
    review: PriceReview, user: User, price_server: PriceServer
) -> None:
    told = price_server.body
    price_server.say(b"", status=503)
    assert accept(review, user).status == "failed"
    assert (review.status, cost()) == (ACCEPTED, Decimal(1))
    price_server.say(told)
    assert sync_prices().added == 1
    assert cost() == 11


def test_dismissed_prices_stay_out_until_they_read_differently(
    review: PriceReview, user: User, price_server: PriceServer
) -> None:
    dismiss(review, user)
    assert (review.status, review.decided_by) == (DISMISSED, user)
    price_server.say(shop(model("m", input_mtok=11, output_mtok=6), model("n", input_mtok=3)))
    assert sync_prices().refused == 0
    assert [cost("m"), cost("n")] == [1, 3]
    price_server.say(shop(model("m", input_mtok=12, output_mtok=6), model("n", input_mtok=3)))
    assert sync_prices().refused == 1
    assert PriceReview.objects.get(status=OPEN).listed_price == 12


def test_dismissed_prices_can_be_accepted_later(review: PriceReview, user: User) -> None:
    dismiss(review, user)
    dismiss(review, user)
    assert accept(review, user).added == 1
    assert cost() == 11


def test_a_source_that_mends_its_price_closes_the_review(
    review: PriceReview, price_server: PriceServer
) -> None:
    price_server.say(shop(model("m", input_mtok=1.1, output_mtok=5), model("n", input_mtok=2)))
    assert sync_prices().refused == 0
    assert not PriceReview.objects.exists()
    assert cost() == Decimal("1.1")


def test_a_slip_of_the_unit_is_told_as_one(review: PriceReview, price_server: PriceServer) -> None:
    price_server.say(
        shop(
            model("m", input_mtok=1000, output_mtok=5),
            model("n", input_mtok=2),
            model("new", input_mtok=0.000003, output_mtok=15),
        )
    )
    assert sync_prices().refused == 2
    assert cost("new") is None
    reviews = PriceReview.objects.order_by("model").values_list("model", "fault", "known_price")
    assert list(reviews) == [("m", "wrong_unit", Decimal(1)), ("new", "wrong_unit", None)]


def test_nothing_but_a_refusal_is_no_change_in_the_record(price_server: PriceServer) -> None:
    price_server.say(shop(model("m", input_mtok=1)))
    sync_prices()
    changes = PriceChange.objects.count()
    price_server.say(shop(model("m", input_mtok=11)))
    row = sync_prices()
    assert (row.status, row.refused) == ("unchanged", 1)
    assert PriceChange.objects.count() == changes


def test_a_refused_service_tier_leaves_the_other_ones_alone(price_server: PriceServer) -> None:
    def listed(standard: float, batch: float) -> None:
        variant = {"when": {"processing": "batch"}, "prices": {"input_mtok": batch}}
        price_server.say(shop(model("m", input_mtok=standard) | {"price_variants": [variant]}))

    listed(2, 1)
    sync_prices()
    listed(3, 20)
    row = sync_prices()
    assert (row.added, row.refused) == (1, 1)
    assert PriceReview.objects.get().service_tier == "batch"
    prices = [
        current_book().find("shop", "m", timezone.now(), tier) for tier in ("standard", "batch")
    ]
    assert [price and price.prices[0].unit_price for price in prices] == [3, 1]
