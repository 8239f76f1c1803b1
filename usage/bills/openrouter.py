"""OpenRouter's activity: usage and cost of the last 30 finished UTC days, by model and endpoint.

Prompt tokens include cached ones, completion tokens include reasoning. `usage` is what OpenRouter
bills, in US dollars; what calls with an own key cost elsewhere is only described. There are no
projects. Fields as in the OpenRouter SDKs' `ActivityItem`.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from msgspec import Struct, field

from usage.bills.pages import Page, Shape
from usage.bills.values import (
    BillFault,
    ReadLine,
    amount_of,
    counted,
    description_of,
    model_of,
)
from usage.models import BillDay

CURRENCY = "USD"


class Activity(Struct):
    """One line; `date_` begins with the day, with or without a time after it."""

    date_: str = field(name="date")
    model: str
    usage: Decimal
    requests: int
    prompt_tokens: int
    completion_tokens: int
    reasoning_tokens: int = 0
    byok_usage_inference: Decimal = Decimal()
    provider_name: str = ""

    @property
    def day(self) -> date:
        """The UTC day."""
        try:
            return date.fromisoformat(self.date_[:10])
        except ValueError:
            raise BillFault(f"It holds a day that is none: {self.date_[:20]!r}.") from None

    @property
    def results(self) -> "tuple[Activity]":
        """Itself: there is no list of its own for a day."""
        return (self,)


def activity_lines(day: date, activity: Activity) -> Iterator[ReadLine]:
    """A line of activity."""
    described = activity.provider_name
    if activity.byok_usage_inference:
        elsewhere = amount_of(activity.byok_usage_inference).normalize()
        described += f" ({elsewhere:f} {CURRENCY} paid with an own key)"
    yield ReadLine(
        day,
        model=model_of(activity.model),
        description=description_of(described),
        quantities=counted(
            input_tokens=activity.prompt_tokens,
            output_tokens=activity.completion_tokens,
            reasoning_tokens=activity.reasoning_tokens,
            requests=activity.requests,
        ),
        amount=amount_of(activity.usage),
        currency=CURRENCY,
    )


ACTIVITY = Shape(BillDay.Report.ACTIVITY, Page[Activity], activity_lines, ("completion_tokens", ""))
