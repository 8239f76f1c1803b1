"""The names of whom and what a replay was about."""

from collections import defaultdict
from collections.abc import Mapping
from typing import TypeAlias

from budgets.replay.findings import Affected, Tally
from budgets.selectors.scopes import name_members
from usage.models import CallKind, Organization

SHOWN = 25
AFFECTED = ("subject", "project", "model")
Touched: TypeAlias = tuple[int, int | None, int | None, int]
"""Ids of the organization, project, subject and kind of a call."""


def affected_by(touched: Mapping[Touched, Tally]) -> dict[str, tuple[list[Affected], int]]:
    """By each of AFFECTED who it was, most blocked calls first, and how many they are."""
    return {kind: _ranked(kind, touched) for kind in AFFECTED}


def _ranked(kind: str, touched: Mapping[Touched, Tally]) -> tuple[list[Affected], int]:
    tallies: dict[tuple[int, int | str | None], Tally] = defaultdict(Tally)
    models = _models(touched) if kind == "model" else {}
    for (owner, project, subject, call_kind), tally in touched.items():
        about = {"project": project, "subject": subject, "model": models.get(call_kind)}[kind]
        tallies[owner, about].add(tally)
    ranked = sorted(tallies.items(), key=lambda item: _most_blocked_first(item[1]))
    shown = ranked[:SHOWN]
    ids = [(kind, about) for (_, about), _ in shown if isinstance(about, int)]
    names = name_members(ids)
    owners = dict(Organization.objects.values_list("pk", "slug"))
    return [
        Affected(
            owners[owner], names[kind, about] if isinstance(about, int) else about or "", tally
        )
        for (owner, about), tally in shown
    ], len(ranked)


def _models(touched: Mapping[Touched, Tally]) -> dict[int, str]:
    kinds = CallKind.objects.filter(pk__in={kind for *_, kind in touched})
    return dict(kinds.values_list("pk", "model"))


def _most_blocked_first(tally: Tally) -> tuple[int, int]:
    return -tally.blocked, -tally.warned
