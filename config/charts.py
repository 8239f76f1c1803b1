"""Charts as JSON: django-chartjs views, brought to emit numbers and nothing else."""

from decimal import Decimal
from typing import Any

import msgspec
from chartjs.views.lines import BaseLineOptionsChartView
from django.http import HttpResponse

_encode = msgspec.json.Encoder(decimal_format="number").encode


class ChartView(BaseLineOptionsChartView):  # type: ignore[misc] # the package has no types
    """Base of every chart: exact numbers, colour indexes instead of colours, private answers.

    Subclasses give labels, names, rows of numbers and a colour index (1 to 6) per row; the page
    turns indexes into the colours of its theme.
    """

    http_method_names = ["get", "head", "options"]

    def get_colour(self, index: int) -> int:
        """The colour index of one row of numbers."""
        raise NotImplementedError

    def get_extra(self) -> dict[str, Any]:
        """What the page needs besides the numbers: the `type` of chart at least."""
        raise NotImplementedError

    def get_options(self) -> dict[str, Any]:
        """Options of Chart.js that do not depend on the theme."""
        return {}

    def get_dataset_options(self, index: int, color: object) -> dict[str, Any]:
        """The package's palette is unreadable on dark pages, so only an index is sent."""
        return {"colour": self.get_colour(index)}

    def get_data(self) -> list[list[Decimal | int]]:
        """One row of numbers per data set."""
        raise NotImplementedError

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The chart, without the view object that the package would put in."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return {
            "data": context["data"],
            "options": context["options"],
            **self.get_extra(),
        }

    def render_to_response(self, context: dict[str, Any]) -> HttpResponse:
        """Answer with exact decimal numbers, for this user alone."""
        return HttpResponse(
            _encode(context),
            content_type="application/json",
            headers={"Cache-Control": "private, no-cache"},
        )
