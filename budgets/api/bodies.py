"""What bodies about budgets may say, and every fault of those that do not, by its place."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpResponse
from msgspec import UNSET, UnsetType

from budgets.asking import read_object
from budgets.matching import NAMES
from budgets.models import Threshold
from budgets.models.budgets import WARN_PERCENT
from budgets.policies import CURRENCY
from budgets.setting import Level
from usage.api.problems import problem
from usage.ingest.explain import faults_of
from usage.ingest.values import FieldError, Instant, Name, Word

MOST_LEVELS = 20
MOST_CHANNELS = 50
_WHOLE_NUMBER = 2**31 - 1
Micro = Annotated[int, msgspec.Meta(ge=0, le=10**18)]
_encode = msgspec.json.Encoder(decimal_format="number").encode


class ScopeBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which calls a budget counts, by the names that events have for them; null is any.

    `organization` is needed of a site key alone, for which null is all organizations together.
    Projects, teams and subjects are made known where they are not yet; an API key is named by
    the visible beginning of its secret.
    """

    organization: Name | UnsetType | None = UNSET
    project: Name | UnsetType | None = UNSET
    team: Name | UnsetType | None = UNSET
    subject: Name | UnsetType | None = UNSET
    api_key: Name | UnsetType | None = UNSET
    provider: Word | UnsetType | None = UNSET
    model: Word | UnsetType | None = UNSET
    action: Word | UnsetType | None = UNSET
    agent_type: Word | UnsetType | None = UNSET


class LevelBody(msgspec.Struct, forbid_unknown_fields=True):
    """A level to warn from: either a percentage of the limit, or an amount of the measure."""

    percent: Decimal | None = None
    amount: Decimal | None = None


class BudgetBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A budget. A `limit` of null is none: usage is only counted; 0 means nothing is allowed.

    It is in `currency` (empty: the ledger's), in tokens or in requests, as `measure` says. With
    `per` each of these has the limit to itself. Only a `total` has a first day, `starts_on`.
    Without `thresholds` a new budget warns from 80 %.
    """

    name: Annotated[str, msgspec.Meta(max_length=200)] | UnsetType = UNSET
    scope: ScopeBody | UnsetType = UNSET
    per: Literal["", "organization", "project", "team", "subject", "api_key"] | UnsetType = UNSET
    measure: Literal["cost", "tokens", "requests"] | UnsetType = UNSET
    period: Literal["day", "week", "month", "quarter", "year", "total"] | UnsetType = UNSET
    starts_on: date | UnsetType | None = UNSET
    limit: Decimal | UnsetType | None = UNSET
    currency: Annotated[str, msgspec.Meta(pattern=r"^([A-Z]{3})?\Z")] | UnsetType = UNSET
    enforcement: Literal["soft", "hard"] | UnsetType = UNSET
    unpriced: Literal["estimate", "block", "allow"] | UnsetType = UNSET
    thresholds: Annotated[list[LevelBody], msgspec.Meta(max_length=MOST_LEVELS)] | UnsetType = UNSET
    channels: Annotated[list[Name], msgspec.Meta(max_length=MOST_CHANNELS)] | UnsetType = UNSET
    priority: Annotated[int, msgspec.Meta(ge=-_WHOLE_NUMBER, le=_WHOLE_NUMBER)] | UnsetType = UNSET
    contact: Annotated[str, msgspec.Meta(max_length=200)] | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class RaiseBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Another limit, in the budget's currency, from now to before `until`; null is none.

    `member` names whom it is for, where each of many has the limit to itself.
    """

    limit: Decimal | None
    until: Instant
    member: Name | None = None
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class PolicyBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What a scope may cost a day and a month: null, or not said, is no limit, and 0 allows
    nothing, whichever way it is said. Of several ways millionths of a euro win over euros, and
    these over `daily_limit` and `monthly_limit`, which are in `currency`.
    """

    daily_limit: Decimal | None = None
    monthly_limit: Decimal | None = None
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")] = CURRENCY
    daily_limit_eur: Decimal | None = None
    monthly_limit_eur: Decimal | None = None
    daily_limit_micro_eur: Micro | None = None
    monthly_limit_micro_eur: Micro | None = None
    warn_threshold_pct: Decimal = WARN_PERCENT


class ProjectBudgetBody(msgspec.Struct, forbid_unknown_fields=True):
    """What a project may cost a month in the ledger currency; null is no limit, 0 nothing."""

    monthly_limit: Decimal | None


class Refused(Exception):
    """A body that is JSON and yet cannot be taken; `errors` name each fault."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("the body cannot be taken")
        self.errors = errors


AnyBody = TypeVar("AnyBody", bound=msgspec.Struct)


def read_as(kind: type[AnyBody], body: bytes) -> AnyBody:
    """A JSON object as a `kind`. Raises Refused with every fault, BodyError for no object."""
    fields = read_object(body)
    faults = faults_of(kind, fields)
    if faults:
        raise Refused(faults)
    return msgspec.json.decode(_encode(fields), type=kind)


def levels_of(bodies: Sequence[LevelBody]) -> list[Level]:
    """The levels meant. Raises Refused naming each fault by its place."""
    faults = [fault for place, body in enumerate(bodies) for fault in _level_faults(place, body)]
    if faults:
        raise Refused(faults)
    return [Level(body.percent, body.amount) for body in bodies]


def _level_faults(place: int, body: LevelBody) -> Iterator[FieldError]:
    path = f"thresholds[{place}]"
    if (body.percent is None) == (body.amount is None):
        yield FieldError(path, "invalid", "Give either a percent or an amount.")
        return
    try:
        Threshold(percent=body.percent, amount=body.amount).clean_fields(exclude=["budget"])
    except ValidationError as refusal:
        yield from refusal_faults(refusal, f"{path}.")


def refusal_faults(refusal: ValidationError, prefix: str = "") -> Iterator[FieldError]:
    """What a model refused, by the places of a body."""
    if not hasattr(refusal, "error_dict"):
        refusal = ValidationError({NON_FIELD_ERRORS: refusal})
    for name, errors in refusal.error_dict.items():
        field = f"{prefix}{place_of(name)}"
        for error in errors:
            message = " ".join(error.messages)
            yield FieldError(field, error.code or "invalid", message)


def place_of(name: str) -> str:
    """Where a body says what a budget has under `name`; "" for the whole of it."""
    if name == NON_FIELD_ERRORS:
        return ""
    return f"scope.{name}" if name in NAMES else name


def given(body: msgspec.Struct) -> dict[str, Any]:
    """The members of a body that are there."""
    members = msgspec.structs.asdict(body)
    return {name: value for name, value in members.items() if value is not UNSET}


def invalid(errors: Sequence[FieldError], members: Mapping[str, Any] | None = None) -> HttpResponse:
    """The 422 for a body that cannot be taken."""
    return problem(422, "invalid", "The body cannot be taken as it is.", errors, members=members)
