"""The people and services that spend most, and how to reach them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_

from django.db.models import Q

from usage.models import Subject
from usage.selectors.filters import ORGANIZATION
from usage.selectors.frames import Frame
from usage.selectors.questions import UsageSums


@dataclass(frozen=True, slots=True)
class Spender:
    """A subject with its sums; e-mail and name are empty where nobody gave them."""

    organization: str
    key: str
    email: str
    display_name: str
    sums: UsageSums


def top_people(frame: Frame, start: date, end: date, limit: int) -> list[Spender]:
    """Who cost most from `start` to before `end`, the dearest first. Raises QuestionError."""
    answer = frame.rank(start, end, "subject", limit, group_by=(ORGANIZATION, "subject"))
    found = [
        ((row.group[ORGANIZATION] or "", row.group["subject"] or ""), row.sums)
        for row in answer.rows
    ]
    contacts = _contacts(key for key, _ in found)
    return [Spender(*key, *contacts.get(key, ("", "")), sums) for key, sums in found]


def _contacts(keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, str]]:
    wanted = [Q(organization__slug=organization, key=key) for organization, key in keys]
    if not wanted:
        return {}
    rows = Subject.objects.filter(reduce(or_, wanted)).values_list(
        "organization__slug", "key", "email", "display_name"
    )
    return {(organization, key): (email, name) for organization, key, email, name in rows}
