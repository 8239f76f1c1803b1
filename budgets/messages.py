"""What callers may post as a comment: what, how much, which budget, until when, whom to ask."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from budgets.amounts import exact_text, limit_text, used_percent
from budgets.deciding import ALLOW, BLOCK, Tested, Verdict, WindowState
from budgets.models import Budget
from budgets.models.budgets import read_as

_EACH: dict[str, str] = {
    Budget.Period.DAY: "a day",
    Budget.Period.WEEK: "a week",
    Budget.Period.MONTH: "a month",
    Budget.Period.QUARTER: "a quarter",
    Budget.Period.YEAR: "a year",
    Budget.Period.TOTAL: "in total",
}
SITE = "a budget of the whole site"


def message_of(verdict: Verdict, *, hidden: bool = False) -> str:
    """Why a call may run or not. With `hidden` the binding budget is not the caller's to see, and
    is named without its figures."""
    binding = verdict.binding
    if binding is None:
        return (
            "Allowed: every budget has room." if verdict.tested else "Allowed: no budget applies."
        )
    blocked = verdict.outcome == BLOCK
    if hidden:
        return hidden_message(verdict.outcome)
    parts = [
        _head(verdict.outcome),
        _reason(binding, verdict),
        reset_text(binding.state) if binding.waiting_helps else "",
        _contact(binding.state),
    ]
    others = sum(one.outcome == verdict.outcome for one in verdict.tested[1:])
    if others and blocked:
        parts.append(f"{others} other budget{'s' if others > 1 else ''} would block it too.")
    return " ".join(part for part in parts if part)


def hidden_message(outcome: str) -> str:
    """That a budget warns or blocks which is not the reader's to see."""
    how = "is used up" if outcome == BLOCK else "is nearly used up"
    return f"{_head(outcome)} {SITE.capitalize()} {how}."


def _head(outcome: str) -> str:
    return "AI call blocked." if outcome == BLOCK else "AI call allowed with a warning."


def reset_text(state: WindowState) -> str:
    """When the window of a budget begins anew, in its own time zone."""
    if state.end is None:
        return "It never resets."
    return f"It resets on {moment(state.end, state.facts.time_zone)}."


def moment(at: datetime, zone: ZoneInfo) -> str:
    """A time as people of a zone read it: 23 Nov 2026 00:00 (Asia/Kathmandu)."""
    local = at.astimezone(zone)
    return f"{local.day} {local:%b %Y %H:%M} ({zone.key})"


def title_of(state: WindowState) -> str:
    """What a budget is called, with whose share of it is meant."""
    who = f", {read_as(state.facts.per)} {state.member_name}" if state.member_name else ""
    return f"\N{LEFT DOUBLE QUOTATION MARK}{state.facts.name}\N{RIGHT DOUBLE QUOTATION MARK}{who}"


def _reason(tested: Tested, verdict: Verdict) -> str:
    state, facts = tested.state, tested.state.facts
    title = f"The {facts.enforcement} budget {title_of(state)}"
    if tested.amount is None:
        may = "does not allow" if facts.is_hard else "warns about"
        return f"{title} {may} calls whose price is not known."
    if state.limit == 0:
        return f"{title} allows nothing {_EACH[facts.period]}."
    allows = f"{title} allows {limit_text(state.limit, facts.measure)} {_EACH[facts.period]}"
    figures = f"{allows}: {_figures(state)}, and this call {_asked(tested, verdict)}."
    if state.is_overcommitted:
        return f"{figures} Its limit was lowered below what is reserved."
    if verdict.outcome == ALLOW or state.limit is None:
        return figures
    full = (state.taken + tested.amount) * 100 / state.limit
    return figures if verdict.outcome == BLOCK else f"{figures} That makes {used_percent(full)}."


def _figures(state: WindowState) -> str:
    measure = state.facts.measure
    word = "spent" if measure == Budget.Measure.COST else "used"
    said = f"{exact_text(state.used, measure)} {word}"
    return f"{said}, {exact_text(state.reserved, measure)} reserved" if state.reserved else said


def _asked(tested: Tested, verdict: Verdict) -> str:
    amount, measure = tested.amount or Decimal(0), tested.state.facts.measure
    if measure == Budget.Measure.COST and verdict.call.cost is None:
        return f"is taken for {exact_text(amount, measure)}, as its price is not known"
    if not amount:
        return "says not how much it needs"
    return f"needs up to {exact_text(amount, measure)}"


def _contact(state: WindowState) -> str:
    return f"Ask {state.facts.contact} for more." if state.facts.contact else ""
