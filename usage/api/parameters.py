"""Query parameters, read one by one: every fault is collected and told by name."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import TypeVar

from django.http import QueryDict
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from usage.selectors.dimensions import DIMENSIONS, TAG_MARK
from usage.selectors.pages import read_pk
from usage.selectors.periods import FIRST_YEAR, LAST_YEAR, find_zone
from usage.selectors.questions import QuestionError

MAX_PAGE = 1000
T = TypeVar("T")
Bound = TypeVar("Bound", date, datetime)
# An unescaped + in a query string arrives as a space.
_LOST_PLUS = re.compile(r"(T[\d:.]+) (\d\d:\d\d)\Z")


class OwnFormat(BaseContentNegotiation):
    """Leaves `?format=` and `Accept` to the view, which answers in one format it names."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        """The first parser: these views have no bodies."""
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The first renderer, whatever is asked."""
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class ParameterReader:
    """Reads parameters of a request; `finish` raises the 400 with all faults found."""

    def __init__(self, query: QueryDict) -> None:
        self._query = query
        self._known: set[str] = set()
        self.faults: dict[str, ErrorDetail] = {}

    def fault(self, name: str, code: str, message: str) -> None:
        """Note what is wrong with a parameter; the first fault of each counts."""
        self.faults.setdefault(name, ErrorDetail(message, code=code))

    def one(self, name: str, default: str = "") -> str:
        """The value of a parameter that may be given once."""
        self._known.add(name)
        values = self._query.getlist(name)
        if len(values) > 1:
            self.fault(name, "repeated", f"{name} may be given once.")
        value = values[0] if values else default
        if "\0" in value:
            self.fault(name, "invalid", "A value cannot hold a NUL character.")
            return default
        return value

    def many(self, name: str) -> tuple[str, ...]:
        """All values of a parameter that may be repeated."""
        self._known.add(name)
        values = tuple(self._query.getlist(name))
        if any("\0" in value for value in values):
            self.fault(name, "invalid", "A value cannot hold a NUL character.")
            return ()
        return values

    def several(self, names: Mapping[str, bool]) -> dict[str, tuple[str, ...]]:
        """The values of those of `names` that are given; each tells whether it may be repeated."""
        found = {
            name: self.many(name) if repeatable else (self.one(name),)
            for name, repeatable in names.items()
        }
        return {name: words for name, words in found.items() if any(words)}

    def choice(self, name: str, allowed: Collection[str], default: str) -> str:
        """One of `allowed`."""
        value = self.one(name, default)
        if value not in allowed:
            named = ", ".join(each for each in allowed if each)
            self.fault(name, "unknown", f"{value!r} is none of {named}.")
            return default
        return value

    def number(self, name: str, default: int, most: int) -> int:
        """A whole number from 1 to `most`."""
        value = self.one(name) or str(default)
        if value.isascii() and value.isdigit() and 1 <= int(value[:9]) <= most and len(value) < 9:
            return int(value)
        self.fault(name, "out_of_range", f"{name} is a whole number from 1 to {most}.")
        return default

    def pk(self, name: str) -> int | None:
        """The id of something; None if not given."""
        text = self.one(name)
        try:
            return read_pk(text) if text else None
        except ValueError:
            self.fault(name, "invalid", f"{text[:20]!r} is not the id of a {name}.")
            return None

    def names(self, name: str) -> tuple[str, ...]:
        """A comma list, spaces around names ignored."""
        listed = (part.strip() for part in self.one(name).split(","))
        return tuple(part for part in listed if part)

    def zone(self, default: Callable[[], str]) -> str:
        """The IANA zone `timezone`; `default` is asked only where it is not given."""
        name = self.one("timezone")
        if not name:
            return default()
        return self._try(lambda: find_zone(name).key, "UTC")

    def bound(self, name: str) -> date | datetime | None:
        """A date or an instant with offset; None if not given."""
        text = _LOST_PLUS.sub(r"\1+\2", self.one(name))
        if not text:
            return None
        try:
            if len(text) == len("2026-11-01"):
                return self._in_range(name, date.fromisoformat(text))
            instant = datetime.fromisoformat(text)
        except ValueError:
            self.fault(name, "invalid", f"{text!r} is neither a date nor an RFC 3339 time.")
            return None
        if instant.utcoffset() is None:
            self.fault(name, "naive", "A time needs an offset, as in 2026-11-01T00:00:00+01:00.")
            return None
        return self._in_range(name, instant)

    def day(self, name: str) -> date | None:
        """A date; None if not given."""
        bound = self.bound(name)
        if isinstance(bound, datetime):
            self.fault(name, "invalid", "This is asked by days, such as 2026-11-01.")
            return None
        return bound

    def filters(self) -> dict[str, list[str]]:
        """The dimension names given as parameters, with all values of each."""
        found = {
            name: self._query.getlist(name)
            for name in self._query
            if name in DIMENSIONS or name.startswith(TAG_MARK)
        }
        self._known.update(found)
        for name, values in found.items():
            if any("\0" in value for value in values):
                self.fault(name, "invalid", "A value cannot hold a NUL character.")
        return {name: values for name, values in found.items() if name not in self.faults}

    def finish(self) -> None:
        """Raise ValidationError if anything was wrong, parameters nobody knows included."""
        for name in self._query:
            if name not in self._known:
                self.fault(name, "unknown", f"There is no parameter {name!r}.")
        if self.faults:
            raise ValidationError(dict(self.faults))

    def _in_range(self, name: str, bound: Bound) -> Bound | None:
        if FIRST_YEAR <= bound.year <= LAST_YEAR:
            return bound
        self.fault(name, "out_of_range", f"The year lies between {FIRST_YEAR} and {LAST_YEAR}.")
        return None

    def _try(self, read: Callable[[], T], default: T) -> T:
        try:
            return read()
        except QuestionError as error:
            self.fault(error.field, error.code, error.message)
            return default


def default_start(end: date | datetime) -> date | datetime:
    """Where a question starts that names only its end: 30 days before."""
    return end - timedelta(days=30)


def page_link(request: Request, cursor: str | None) -> str | None:
    """The address of this request's list at `cursor`."""
    if cursor is None:
        return None
    parameters = request.GET.copy()
    parameters["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{parameters.urlencode()}")
