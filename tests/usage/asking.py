"""Asking for November 2026, and seeing where the answer was read."""

from datetime import date
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from usage.selectors.access import EVERYTHING
from usage.selectors.questions import UsageAnswer, UsageQuery
from usage.selectors.usage import query_usage


def ask(**fields: Any) -> UsageAnswer:
    month = {"viewer": EVERYTHING, "start": date(2026, 11, 1), "end": date(2026, 12, 1)}
    return query_usage(UsageQuery(**{**month, **fields}))


def table_asked(**fields: Any) -> str:
    with CaptureQueriesContext(connection) as queries:
        ask(**fields)
    statement = queries[-1]["sql"]
    levels = ("usagerollup", "hourlyfacet", "dailyrollup", "dailyfacet")
    names = ("usageevent", *levels, "monthlyrollup", "monthlyfacet")
    return " ".join(name for name in names if f"usage_{name} " in statement)
