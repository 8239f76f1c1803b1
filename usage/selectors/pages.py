"""Pages of rows by what they are ordered by, onward and back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import reduce
from operator import attrgetter, or_
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet

from usage.selectors.cursors import bad_cursor, pack, read_instant, unpack

AnyModel = TypeVar("AnyModel", bound=Model)
_ONWARD, _BACK = "next", "previous"
_MOST = Decimal(10) ** 18


@dataclass(frozen=True, slots=True)
class OrderKey:
    """A column rows are ordered by, as a path of the query language; `read` takes its text
    back and raises ValueError or ArithmeticError for what it cannot be."""

    path: str
    read: Callable[[str], object]

    def text(self, row: Model) -> str:
        """The column of a row as a cursor keeps it."""
        value = attrgetter(self.path.replace("__", "."))(row)
        return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


@dataclass(frozen=True, slots=True)
class Page(Generic[AnyModel]):
    """Rows in their order, and the cursors of the pages around them."""

    rows: list[AnyModel]
    next_cursor: str | None
    previous_cursor: str | None


def read_page(
    rows: QuerySet[AnyModel],
    keys: Sequence[OrderKey],
    *,
    descending: bool,
    limit: int,
    cursor: str,
    question: str,
) -> Page[AnyModel]:
    """The page of `rows` at `cursor` (empty: the first), in one statement.

    Together the keys are unique. `question` is a fingerprint of what is asked; a cursor of
    another question raises QuestionError.
    """
    back = False
    if cursor:
        way, *texts = unpack(cursor, question, len(keys) + 1)
        back = way == _BACK
        rows = rows.filter(_beyond(keys, texts, downward=descending != back))
    sign = "-" if descending != back else ""
    found = list(rows.order_by(*(f"{sign}{key.path}" for key in keys))[: limit + 1])
    shown, more = found[:limit], len(found) > limit
    if back:
        shown.reverse()

    def edge(way: str, wanted: bool, row: Sequence[AnyModel]) -> str | None:
        if not (wanted and row):
            return None
        return pack(question, [way, *(key.text(row[0]) for key in keys)])

    return Page(
        shown,
        edge(_ONWARD, more or back, shown[-1:]),
        edge(_BACK, more if back else bool(cursor), shown[:1]),
    )


def read_money(text: str) -> Decimal:
    """An amount that a page may end at. Raises ArithmeticError or ValueError."""
    amount = Decimal(text)
    if not (amount.is_finite() and abs(amount) < _MOST):
        raise ValueError(text)
    return amount.quantize(Decimal(1).scaleb(-10))


def read_pk(text: str) -> int:
    """A primary key that a page may end at. Raises ValueError."""
    number = int(text)
    if not 0 <= number < 2**63:
        raise ValueError(text)
    return number


def read_time(text: str) -> datetime:
    """A time that a page may end at. Raises ValueError or QuestionError."""
    return read_instant(text)


def _beyond(keys: Sequence[OrderKey], texts: Sequence[str], *, downward: bool) -> Q:
    try:
        values = [key.read(text) for key, text in zip(keys, texts, strict=True)]
    except (ValueError, ArithmeticError) as error:
        raise bad_cursor() from error
    side = "lt" if downward else "gt"
    before: dict[str, Any] = {}
    steps = []
    for key, value in zip(keys, values, strict=True):
        steps.append(Q(**before, **{f"{key.path}__{side}": value}))
        before[key.path] = value
    return reduce(or_, steps)
