"""Finding the thing a reported name means, by rules of several kinds. Pure."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from pricing.models import MatchRule

Target = TypeVar("Target")

MAX_NAME_LENGTH = 256
"""Longer names match nothing: catalogues have no such names, and patterns stay quick."""

_COMPACT_DATE = re.compile(r"(-)(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)")


@dataclass(frozen=True, slots=True)
class Rule(Generic[Target]):
    """`target` is meant by names that meet the rule; the lowest position wins."""

    position: int
    kind: str
    text: str
    target: Target


class Matcher(Generic[Target]):
    """Rules compiled for look-up: exact ones in a dictionary, the others tried in order."""

    def __init__(self, rules: Iterable[Rule[Target]]) -> None:
        """Compile `rules`; of equal positions the first given wins."""
        self._exact: dict[str, tuple[int, Target]] = {}
        self._tests: list[tuple[int, Callable[[str], object], Target]] = []
        for rule in sorted(rules, key=lambda rule: rule.position):
            if rule.kind == MatchRule.Kind.EXACT:
                self._exact.setdefault(rule.text.lower(), (rule.position, rule.target))
            else:
                self._tests.append((rule.position, _test(rule.kind, rule.text), rule.target))

    def find(self, name: str) -> Target | None:
        """The target of the first rule that `name`, in lower case, meets."""
        exact = self._exact.get(name)
        for position, test, target in self._tests:
            if exact is not None and position >= exact[0]:
                break
            if test(name):
                return target
        return exact[1] if exact is not None else None


def _test(kind: str, text: str) -> Callable[[str], object]:
    wanted = text.lower()
    match kind:
        case MatchRule.Kind.PREFIX:
            return lambda name: name.startswith(wanted)
        case MatchRule.Kind.SUFFIX:
            return lambda name: name.endswith(wanted)
        case MatchRule.Kind.CONTAINS:
            return lambda name: wanted in name
        case MatchRule.Kind.PATTERN:
            return re.compile(text).search
    raise ValueError(f"unknown kind of rule: {kind}")


def with_dashed_date(name: str) -> str:
    """`name` with a compact date such as `-20251211` written `-2025-12-11`."""
    return _COMPACT_DATE.sub(_dashed, name)


def _dashed(found: re.Match[str]) -> str:
    try:
        day = date(int(found[2]), int(found[3]), int(found[4]))
    except ValueError:
        return found[0]
    return f"-{day.isoformat()}"
