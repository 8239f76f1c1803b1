"""What the present and the next month will have cost."""

from dataclasses import dataclass

from config.dashboards.reading import Reading, unless_unrated
from usage.selectors.forecasts import Forecast, forecast_periods, month_after, this_month


@dataclass(frozen=True, slots=True)
class MonthsAhead:
    """The forecasts of the present month and of the next, in the currency of a question."""

    present: Forecast
    following: Forecast


def read_months_ahead(reading: Reading) -> MonthsAhead | None:
    """The months of what a question is about; None where some days that they look back on have no
    exchange rate."""
    return unless_unrated(lambda: _read(reading))


def _read(reading: Reading) -> MonthsAhead:
    question = reading.question
    present, following = forecast_periods(
        reading.viewer,
        periods=(this_month(question.today), month_after(question.today)),
        today=question.today,
        time_zone=question.zone.key,
        filters=question.allowed,
        currency=question.currency,
    )
    return MonthsAhead(present, following)
