"""The overview's chart table as CSV."""

import csv
import io

from config.dashboards.question import Question
from config.dashboards.spend import Spend

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def guarded(text: str) -> str:
    """`text` such that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def spend_csv(spend: Spend, question: Question) -> str:
    """One line per period, exact amounts; the last line sums up."""
    out = io.StringIO()
    writer = csv.writer(out)
    names = [guarded(series.name) for series in spend.series]
    counts = ["tokens", "requests", "errors", "unpriced requests"]
    writer.writerow(
        [str(question.step), "from", "through", *names, f"total {question.currency}", *counts]
    )
    for period, costs in spend.rows():
        sums = period.sums
        writer.writerow(
            [guarded(period.title), period.first, period.last]
            + [f"{cost:f}" for cost in (*costs, sums.cost)]
            + [sums.total_tokens, sums.events, sums.errors, sums.unpriced_events]
        )
    whole = spend.totals
    writer.writerow(
        ["total", question.first, question.last]
        + [f"{cost:f}" for cost in (*(series.cost for series in spend.series), whole.cost)]
        + [whole.total_tokens, whole.events, whole.errors, whole.unpriced_events]
    )
    return out.getvalue()
