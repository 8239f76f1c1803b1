"""Who or what comes first: groups of usage that carry a name."""

from collections import defaultdict
from dataclasses import replace

from usage.selectors.filters import ORGANIZATION
from usage.selectors.questions import UsageAnswer, UsageQuery, UsageRow, UsageSums
from usage.selectors.sums import total_of
from usage.selectors.usage import query_usage

CUT = "cut"
"""The cursor of an answer that was cut short here: that there is more, but no way to ask for it."""


def rank(query: UsageQuery, name: str, limit: int) -> UsageAnswer:
    """The first `limit` rows of a question grouped by `name`, leaving out usage that gives none.

    `name` stands in `group_by` alone or beside the organization, so that each organization has
    one row without it at most. The totals hold all usage. Raises QuestionError.
    """
    spare = len(query.moment.scope(query.viewer, query.filters.get(ORGANIZATION)))
    answer = query_usage(replace(query, limit=limit + max(spare, 1)))
    rows = [row for row in answer.rows if row.group[name] is not None][:limit]
    return replace(answer, rows=rows, next_cursor=None)


def leaders(answer: UsageAnswer, names: tuple[str, ...], by: str, limit: int) -> UsageAnswer:
    """The first `limit` groups by `names` of an answer that holds all groups by those and others
    in the ledger currency: those with most of the sum `by` first, as a question of that order
    would have them."""
    parts: dict[tuple[str, ...], list[UsageSums]] = defaultdict(list)
    for row in answer.rows:
        parts[tuple(row.group[name] or "" for name in names)].append(row.sums)
    found = [
        UsageRow(
            answer.rows[0].start,
            {name: value or None for name, value in zip(names, group, strict=True)},
            sums[0] if len(sums) == 1 else total_of(sums),
        )
        for group, sums in sorted(parts.items())
    ]
    found.sort(key=lambda row: getattr(row.sums, by), reverse=True)
    return replace(answer, rows=found[:limit], next_cursor=CUT if len(found) > limit else None)
