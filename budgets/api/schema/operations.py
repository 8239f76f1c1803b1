"""The operations of the interface of budgets: each constant decorates a method of a view."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiRequest,
    OpenApiResponse,
    extend_schema,
)

from budgets.api.bodies import BudgetBody, PolicyBody, ProjectBudgetBody, RaiseBody
from budgets.api.schema.budgets import (
    BudgetList,
    PolicyList,
    RaiseList,
    ShownBudget,
    ShownPolicy,
    ShownRaise,
    TakenQuotas,
    WindowList,
)
from budgets.api.schema.calls import (
    AnswerCounts,
    BudgetExceeded,
    CheckAnswer,
    DecisionList,
    MadeReservation,
    Question,
    ReservationList,
    SettledReservation,
    ShownDecision,
    ShownReservation,
)
from usage.api.schema.components import Schema, schema_of
from usage.api.schema.inspection import PROBLEM_TYPE, problem_answer
from usage.api.schema.parameters import (
    CURSOR,
    FROM,
    TIMEZONE,
    TO,
    limit,
    parameter,
    path_word,
    words,
)

_BUDGETS, _RESERVATIONS, _DECISIONS, _POLICIES = "budgets", "reservations", "decisions", "policies"
_ID: Schema = {"type": "string", "minLength": 1}
_TEXT: Schema = {"type": "string"}
PAGED = [limit(100), CURSOR]
_BUDGET_ID = path_word("budget_id", "The budget's id.", _ID)
_RESERVATION_ID = path_word("reservation_id", "The reservation's id.", _ID)
OWNER = parameter("organization", _TEXT, "Only of the organization with this slug.")
_FOR = parameter("organization", _TEXT, "Slug of the organization; needed of a site key.")
_CALL = {
    "project": "web", "subject": "ann", "provider": "anthropic", "model": "claude-sonnet-4-5",
}  # fmt: skip
_ASKED = {**_CALL, "input_tokens": 12_000, "max_output_tokens": 4_000}


AnyMethod = TypeVar("AnyMethod", bound=Callable[..., Any])


class Documents(Protocol):
    """Decorates a method with what it is documented as."""

    def __call__(self, method: AnyMethod, /) -> AnyMethod:
        """The method."""


def name_filters(**named: str) -> list[OpenApiParameter]:
    """Query parameters that are plain text, each with what it is for."""
    return [parameter(name, _TEXT, text) for name, text in named.items()]


def operation(
    name: str,
    summary: str,
    tag: str,
    answer: Any,
    *,
    status: int = 200,
    parameters: Iterable[OpenApiParameter] = (),
    body: Schema | None = None,
    example: object = None,
    refusals: Iterable[int] = (),
    more: dict[Any, Any] | None = None,
) -> Documents:
    """A decorator that documents one operation: the type of its answer (None: there is none),
    the schema of its body with an example, and the statuses it refuses with besides the usual."""
    examples = [] if example is None else [OpenApiExample(summary, value=example)]
    responses: dict[Any, Any] = {status: OpenApiResponse(description="Done.")}
    if answer is not None:
        responses = {
            (status, "application/json"): OpenApiResponse(schema_of(answer), "The answer.")
        }
    responses |= {(code, PROBLEM_TYPE): problem_answer(code) for code in refusals}
    request = None
    if body is not None:
        request = {"application/json": OpenApiRequest(body, examples=examples)}
    return extend_schema(
        operation_id=name, summary=summary, tags=[tag], parameters=list(parameters),
        request=request, responses=responses | (more or {}),
    )  # fmt: skip


_BODY = schema_of(BudgetBody)
_MADE: dict[str, object] = {
    "name": "web a day", "scope": {"organization": "acme", "project": "web"}, "measure": "cost",
    "period": "day", "limit": "4.00", "enforcement": "hard",
    "thresholds": [{"percent": 80}, {"amount": "3.50"}],
}  # fmt: skip

LIST_BUDGETS = operation(
    "budgets", "Budgets with their windows", _BUDGETS, BudgetList,
    parameters=[
        OWNER,
        *name_filters(
            project="Only of this project.", team="Only of this team.",
            subject="Only of this subject.", name="Only of this name.",
        ),
        words("period", ("", "day", "week", "month", "quarter", "year", "total"), "", "Period."),
        words("measure", ("", "cost", "tokens", "requests"), "", "What is limited."),
        words("enforcement", ("", "soft", "hard"), "", "Whether it warns or blocks."),
        words("enabled", ("true", "false", "any"), "true", "Those switched on, off, or both."),
        *PAGED,
    ],
)  # fmt: skip
MAKE_BUDGET = operation(
    "budget_make", "Make a budget", _BUDGETS, ShownBudget, status=201, body=_BODY, example=_MADE,
    refusals=(409,),
)  # fmt: skip
SHOW_BUDGET = operation(
    "budget", "A budget with its window", _BUDGETS, ShownBudget, parameters=[_BUDGET_ID]
)
SET_BUDGET = operation(
    "budget_set", "Set all of a budget", _BUDGETS, ShownBudget, parameters=[_BUDGET_ID],
    body=_BODY, example=_MADE, refusals=(409,),
)  # fmt: skip
CHANGE_BUDGET = operation(
    "budget_change", "Set a part of a budget", _BUDGETS, ShownBudget, parameters=[_BUDGET_ID],
    body=_BODY, example={"limit": "6.00"}, refusals=(409,),
)  # fmt: skip
SWITCH_OFF = operation(
    "budget_switch_off", "Switch a budget off", _BUDGETS, None, status=204,
    parameters=[_BUDGET_ID],
)  # fmt: skip
LIST_WINDOWS = operation(
    "budget_windows", "What a budget has used", _BUDGETS, WindowList,
    parameters=[
        _BUDGET_ID, *name_filters(member="Only the windows of the member called so."), *PAGED,
    ],
)  # fmt: skip
LIST_RAISES = operation(
    "budget_raises", "Limits for a while", _BUDGETS, RaiseList, parameters=[_BUDGET_ID]
)
GRANT_RAISE = operation(
    "budget_raise", "Grant another limit for a while", _BUDGETS, ShownRaise, status=201,
    parameters=[_BUDGET_ID], body=schema_of(RaiseBody),
    example={"limit": "20.00", "until": "2026-11-24T00:00:00Z", "reason": "release week"},
)  # fmt: skip
END_RAISE = operation(
    "budget_raise_end", "End a limit for a while", _BUDGETS, None, status=204,
    parameters=[_BUDGET_ID, path_word("raise_id", "The raise's id.", _ID)],
)  # fmt: skip
CHECK = operation(
    "budget_check", "May a call run?", _BUDGETS, CheckAnswer, body=schema_of(Question),
    example=_ASKED,
)  # fmt: skip

_OF_CALLS = name_filters(project="Only of this project.", subject="Only of this subject.")
LIST_RESERVATIONS = operation(
    "reservations", "Money held for calls", _RESERVATIONS, ReservationList,
    parameters=[
        OWNER, *_OF_CALLS, *name_filters(reservation_key="Only of this key."),
        words("status", ("", "held", "settled", "released", "expired"), "", "What became of it."),
        *PAGED,
    ],
)  # fmt: skip
RESERVE = operation(
    "reservation_make", "Hold what a call may cost", _RESERVATIONS, MadeReservation, status=201,
    body=schema_of(Question),
    example={**_ASKED, "reservation_key": "run-812-3", "ttl_seconds": 300}, refusals=(409,),
    more={
        (200, "application/json"): OpenApiResponse(
            schema_of(MadeReservation), "It had been made with this key before."
        ),
        (402, PROBLEM_TYPE): problem_answer(
            402, "A hard budget does not admit the call; nothing is held.",
            schema_of(BudgetExceeded),
        ),
    },
)  # fmt: skip
SHOW_RESERVATION = operation(
    "reservation", "What became of a reservation", _RESERVATIONS, ShownReservation,
    parameters=[_RESERVATION_ID],
)  # fmt: skip
_EVENT: Schema = {
    "type": "object", "additionalProperties": True,
    "description": "An event as `POST /events/` takes it; what it leaves out is as reserved.",
}  # fmt: skip
SETTLE = operation(
    "reservation_settle", "Settle a reservation with its event", _RESERVATIONS,
    SettledReservation, parameters=[_RESERVATION_ID], body=_EVENT, refusals=(409,),
    example={"event_id": "run-812-3", "input_tokens": 11_800, "output_tokens": 640},
)  # fmt: skip
RELEASE = operation(
    "reservation_release", "Release a reservation", _RESERVATIONS, ShownReservation,
    parameters=[_RESERVATION_ID], body={"type": "object", "additionalProperties": False},
    refusals=(409,),
)  # fmt: skip
_LONGER: Schema = {
    "type": "object", "additionalProperties": False,
    "properties": {
        "ttl_seconds": {"type": "integer", "minimum": 1, "maximum": 86_400, "default": 300}
    },
}  # fmt: skip
EXTEND = operation(
    "reservation_extend", "Hold for longer", _RESERVATIONS, ShownReservation,
    parameters=[_RESERVATION_ID], body=_LONGER, example={"ttl_seconds": 600}, refusals=(409,),
)  # fmt: skip

_NARROWED = [
    OWNER, *_OF_CALLS, words("decision", ("", "warn", "block"), "", "What was answered."),
    FROM, TO, *PAGED,
]  # fmt: skip
LIST_DECISIONS = operation(
    "decisions", "Warnings and refusals", _DECISIONS, DecisionList,
    parameters=[*name_filters(budget="Only those that the budget with this id brought about."),
                *_NARROWED],
)  # fmt: skip
LIST_BUDGET_DECISIONS = operation(
    "budget_decisions", "What a budget warned about and blocked", _DECISIONS, DecisionList,
    parameters=[_BUDGET_ID, *_NARROWED],
)  # fmt: skip
EXPLAIN = operation(
    "decision", "Why a call was blocked or warned about", _DECISIONS, ShownDecision,
    parameters=[path_word("decision_id", "The decision's id.", _ID)],
)  # fmt: skip
COUNT_ANSWERS = operation(
    "decision_counts", "How many calls were answered how", _DECISIONS, AnswerCounts,
    parameters=[OWNER, FROM, TO, TIMEZONE],
)  # fmt: skip

LIST_POLICIES = operation("policies", "Cost policies", _POLICIES, PolicyList, parameters=[OWNER])


def _policy(name: str, what: str, *named: OpenApiParameter) -> Documents:
    return operation(
        name, f"Set the cost policy of {what}", _POLICIES, ShownPolicy, parameters=[*named, _FOR],
        body=schema_of(PolicyBody),
        example={"daily_limit_eur": "5.00", "monthly_limit_micro_eur": 100_000_000},
        refusals=(404,),
    )  # fmt: skip


SET_ORGANIZATION_POLICY = _policy("organization_policy", "an organization")
SET_GROUP_POLICY = _policy("group_policy", "a group", path_word("team", "The team's slug."))
SET_USER_POLICY = _policy("user_policy", "a user", path_word("subject", "The subject's key."))
SET_PROJECT_POLICY = _policy(
    "project_policy", "a project", path_word("project", "The project's slug.")
)
TAKE_QUOTAS = operation(
    "organization_quotas", "Take over an organization's quotas", _POLICIES, TakenQuotas,
    parameters=[path_word("slug", "The organization's slug.")],
    body={"type": "object", "additionalProperties": True},
    example={"llm_daily_cost_limit_eur": 8.03, "llm_cost_warn_threshold_pct": 70},
)  # fmt: skip
SET_PROJECT_BUDGET = operation(
    "project_budget_set", "Set a project's monthly budget", _BUDGETS, ShownBudget,
    parameters=[path_word("slug", "The project's slug."), _FOR],
    body=schema_of(ProjectBudgetBody), example={"monthly_limit": "150.00"},
)  # fmt: skip
