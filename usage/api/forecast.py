"""`GET /forecast/`: what a month will have cost when it is over."""

from collections.abc import Collection, Mapping
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from usage.api.parameters import ParameterReader
from usage.api.reads import ReadView, json_answer
from usage.api.rendering.figures import percentage
from usage.api.schema.forecast import FORECAST, PERIODS
from usage.selectors.access import Viewer, report_zone, viewer_of
from usage.selectors.filters import ORGANIZATION
from usage.selectors.forecasts import Forecast, forecast_spend, month_after, this_month

_AMOUNTS = ("spent", "expected", "low", "high", "run_rate")


class ForecastView(ReadView):
    """What the present or the next month will have cost, by the weekdays of the past weeks.

    `low` to `high` is a band that holds four times of five; with less than 14 days of history
    there is only `run_rate`: each day left costs what those of the month did on average.
    `back_test_error` is how far, in percent, past forecasts of as many days missed on average, and
    `coverage` how many percent of them had the truth in their band.
    """

    @FORECAST
    def get(self, request: Request) -> HttpResponse:
        """Forecast a month."""
        viewer = viewer_of(request.user)
        reader = ParameterReader(request.GET)
        filters = reader.filters()
        period = reader.choice("period", PERIODS, PERIODS[0])
        zone = reader.zone(lambda: report_zone(viewer, filters.get(ORGANIZATION)))
        currency = reader.one("currency")
        reader.finish()
        today = timezone.now().astimezone(ZoneInfo(zone)).date()
        start, end = this_month(today) if period == PERIODS[0] else month_after(today)
        forecast = forecast_spend(
            viewer, start=start, end=end, today=today, time_zone=zone, filters=filters,
            currency=currency,
        )  # fmt: skip
        body = {
            "period": period,
            "timezone": zone,
            **_as_json(forecast),
            "budget": self.budget(viewer, filters, forecast),
        }
        return json_answer(body)

    def budget(
        self, viewer: Viewer, filters: Mapping[str, Collection[str]], forecast: Forecast
    ) -> object:
        """The monthly budget of exactly what the forecast is about, None without one."""
        return None


def _as_json(forecast: Forecast) -> dict[str, object]:
    error = forecast.back_test_error
    return {
        "from": forecast.start,
        "to": forecast.end,
        "currency": forecast.currency,
        "as_of": forecast.as_of,
        "unpriced_events": forecast.unpriced_events,
        **{
            name: None if (value := getattr(forecast, name)) is None else f"{value:f}"
            for name in _AMOUNTS
        },
        "back_test_error": None if error is None else f"{error:f}",
        "coverage": percentage(forecast.coverage),
        "days_of_history": forecast.days_of_history,
    }
