from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from types import ModuleType

import pytest

from pricing.models import AIModel, RateCard
from pricing.publishing import PriceItem, Provenance, set_prices
from pricing.selectors import MANUAL, PriceQuestion, history, list_prices, listing, named_card

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def set_price(amount: str, day: int) -> None:
    at = datetime(2026, 11, day, tzinfo=UTC)
    item = PriceItem("shop", "m", "input_tokens", Decimal(amount), "USD", effective_from=at)
    set_prices(named_card(MANUAL), [item], Provenance("test"))


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Callable[[ModuleType, str], None]:
    def before(module: ModuleType, name: str) -> None:
        read = getattr(module, name)

        def changed_just_before(rows: object) -> object:
            set_price("4", 10)
            return read(rows)

        monkeypatch.setattr(module, name, changed_just_before)

    return before


def test_a_price_set_while_a_list_is_read_does_no_harm(
    interrupt: Callable[[ModuleType, str], None],
) -> None:
    set_price("3", 1)
    interrupt(listing, "stored_versions")
    page = list_prices(PriceQuestion(NOW, RateCard.objects.all(), {"provider": "shop"}))
    found = [(row.price.unit_price, row.facts.rate_card) for row in page.rows]
    assert found == [(Decimal(4), MANUAL)]


def test_a_price_set_while_a_history_is_read_does_no_harm(
    interrupt: Callable[[ModuleType, str], None],
) -> None:
    set_price("3", 1)
    interrupt(history, "stored_versions")
    rows = history.price_history(AIModel.objects.get(name="m"), RateCard.objects.all(), NOW)
    assert [step.price.unit_price for row in rows for step in row.steps] == [3]
