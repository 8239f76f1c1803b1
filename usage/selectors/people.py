"""The people and services that spend most, and how to reach them."""

from dataclasses import dataclass
from datetime import date

from usage.selectors.directories import names_of
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
    contacts = names_of(frame.viewer, "subject", (key for key, _ in found))
    spenders = []
    for key, sums in found:
        email, display_name = contacts.get(key, ("", ""))
        spenders.append(Spender(*key, email, display_name, sums))
    return spenders
