"""Rows of the files that consoles of providers export, and of our own CSV of bills.

Every table is known by columns that only it has. The names of the columns are those of exports
of 2025 and 2026: Anthropic's usage and cost, OpenAI's usage and costs (tabs or commas), and
OpenRouter's activity. Ours has `day, amount, currency` and any of `project, project_name, model,
description, tier, meter` and of the meters' names, for quantities.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from usage.bills import anthropic, openai, openrouter
from usage.bills.values import (
    BillFault,
    ReadLine,
    amount_of,
    counted,
    currency_of,
    description_of,
    external_of,
    model_of,
    named_as,
    tier_named,
)
from usage.models import BillDay

Row = Mapping[str, str]
_ANTHROPIC_METERS = {
    "input_no_cache": "input_tokens",
    "input_cache_read": "cache_read_tokens",
    "input_cache_write_5m": "cache_write_tokens",
    "input_cache_write_1h": "cache_write_1h_tokens",
    "output": "output_tokens",
}
_DEFAULT_WORKSPACE = "default"
_THOUSANDS = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d*)?")
_MOST_DIGITS = 20
_OWN_METERS = (
    "input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens",
    "output_tokens", "reasoning_tokens", "requests", "web_searches",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """How the rows of one kind of file become lines; `columns` are those it is known by."""

    report: BillDay.Report
    columns: frozenset[str]
    day: Callable[[Row], date]
    lines: Callable[[date, Row], Iterator[ReadLine]]


def whole(text: str | None) -> int:
    """A count as exports write it: 1200, 1200.0, 1,200 or nothing; BillFault for anything else."""
    number = _number(text)
    if number != number.to_integral_value():
        raise BillFault(f"{text!r} is not a count.")
    return int(number)


def _number(text: str | None) -> Decimal:
    plain = (text or "").strip()
    # A comma may also begin the decimals, which it must not be taken away from.
    if _THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    try:
        number = Decimal(plain or 0)
    except InvalidOperation:
        raise BillFault(f"{plain[:40]!r} is not a number.") from None
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        raise BillFault(f"{plain[:40]!r} is not a number.")
    return number


def _day_in(column: str) -> Callable[[Row], date]:
    def day(row: Row) -> date:
        try:
            return date.fromisoformat(row[column].strip()[:10])
        except ValueError:
            raise BillFault(f"{row[column]!r} is not a day.") from None

    return day


def _day_of_seconds(row: Row) -> date:
    return openai.day_of(whole(row["start_time"]))


def _anthropic_cost(day: date, row: Row) -> Iterator[ReadLine]:
    kind = row.get("token_type", "")
    yield ReadLine(
        day,
        external_id=_workspace(row.get("workspace", "")),
        model=model_of(_model_id(row["model"])),
        description=description_of(row.get("usage_type") if kind else row.get("cost_type")),
        tier=anthropic.tier_of(_tier(row)),
        meter=_ANTHROPIC_METERS.get(kind, ""),
        amount=amount_of(_number(row["cost_usd"])),
        currency="USD",
    )


def _anthropic_usage(day: date, row: Row) -> Iterator[ReadLine]:
    usage = anthropic.Usage(
        uncached_input_tokens=whole(row["usage_input_tokens_no_cache"]),
        cache_creation=anthropic.Written(
            whole(row.get("usage_input_tokens_cache_write_5m")),
            whole(row.get("usage_input_tokens_cache_write_1h")),
        ),
        cache_read_input_tokens=whole(row.get("usage_input_tokens_cache_read")),
        output_tokens=whole(row.get("usage_output_tokens")),
        server_tool_use=anthropic.Tools(whole(row.get("web_search_count"))),
        model=row.get("model_version"),
        service_tier=_tier(row),
        workspace_id=_workspace(row.get("workspace", "")),
    )
    return anthropic.usage_lines(day, usage)


def _tier(row: Row) -> str | None:
    """The usage type, where it is a tier and not what was used."""
    kind = row.get("usage_type", "").strip().lower()
    return kind if kind in ("batch", "priority") else None


def _workspace(name: str) -> str:
    return "" if name.strip().lower() == _DEFAULT_WORKSPACE else external_of(name)


def _model_id(shown: str) -> str:
    """The id of a model that the console shows by its name: Claude Opus 4.6 → claude-opus-4-6,
    Claude 3.5 Sonnet 2024-10-22 → claude-3-5-sonnet-20241022."""
    dated = re.sub(r"(\d{4})-(\d\d)-(\d\d)\Z", r"\1\2\3", shown.strip().lower())
    return re.sub(r"[\s.]+", "-", dated)


def _openai_cost(day: date, row: Row) -> Iterator[ReadLine]:
    if not row["amount_value"].strip():
        return iter(())
    amount = openai.Amount(_number(row["amount_value"]), row.get("amount_currency") or None)
    project, name = row.get("project_id"), row.get("project_name")
    return openai.cost_lines(day, openai.Cost(amount, row.get("line_item"), project, name))


def _openai_usage(day: date, row: Row) -> Iterator[ReadLine]:
    if not row["num_model_requests"].strip():
        return iter(())
    counts: dict[str, Any] = {
        name: whole(row.get(name))
        for name in (
            "input_tokens", "num_model_requests", "output_tokens", "input_cached_tokens",
            "input_cache_write_tokens", "input_audio_tokens", "input_cached_audio_tokens",
            "output_audio_tokens",
        )
    }  # fmt: skip
    usage = openai.Usage(
        **counts,
        model=row.get("model"),
        project_id=row.get("project_id"),
        batch=row.get("batch", "").strip().lower() == "true",
        service_tier=row.get("service_tier"),
    )
    return openai.usage_lines(day, usage)


def _openrouter(day: date, row: Row) -> Iterator[ReadLine]:
    activity = openrouter.Activity(
        date_=row["date"],
        model=row["slug"],
        usage=_number(row["usage"]),
        requests=whole(row.get("requests")),
        prompt_tokens=whole(row.get("prompt tokens")),
        completion_tokens=whole(row.get("completion tokens")),
        reasoning_tokens=whole(row.get("reasoning tokens")),
        byok_usage_inference=_number(row.get("byok usage")),
    )
    return openrouter.activity_lines(day, activity)


def _own(day: date, row: Row) -> Iterator[ReadLine]:
    has_amount = bool(row.get("amount", "").strip())
    yield ReadLine(
        day,
        external_id=external_of(row.get("project")),
        external_name=named_as(row.get("project_name")),
        model=model_of(row.get("model")),
        description=description_of(row.get("description")),
        tier=tier_named(row.get("tier")),
        quantities=counted(**{name: whole(row.get(name)) for name in _OWN_METERS}),
        meter=tier_named(row.get("meter")),
        amount=amount_of(_number(row["amount"])) if has_amount else None,
        currency=currency_of(row.get("currency", "")) if has_amount else "",
    )


ANTHROPIC = (
    Table(
        BillDay.Report.COST,
        frozenset(("usage_date_utc", "token_type", "cost_usd")),
        _day_in("usage_date_utc"),
        _anthropic_cost,
    ),
    Table(
        BillDay.Report.USAGE,
        frozenset(("usage_date_utc", "usage_input_tokens_no_cache")),
        _day_in("usage_date_utc"),
        _anthropic_usage,
    ),
)
OPENAI = (
    Table(
        BillDay.Report.COST,
        frozenset(("start_time", "amount_value")),
        _day_of_seconds,
        _openai_cost,
    ),
    Table(
        BillDay.Report.USAGE,
        frozenset(("start_time", "num_model_requests", "output_tokens")),
        _day_of_seconds,
        _openai_usage,
    ),
    Table(
        BillDay.Report.EMBEDDINGS,
        frozenset(("start_time", "num_model_requests", "input_tokens")),
        _day_of_seconds,
        _openai_usage,
    ),
)
OPENROUTER = (
    Table(
        BillDay.Report.ACTIVITY,
        frozenset(("date", "slug", "usage", "prompt tokens")),
        _day_in("date"),
        _openrouter,
    ),
)
OWN = (
    Table(BillDay.Report.ACTIVITY, frozenset(("day", "amount", "currency")), _day_in("day"), _own),
)
