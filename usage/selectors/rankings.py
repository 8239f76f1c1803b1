"""Who or what comes first: groups of usage that carry a name."""

from dataclasses import replace

from usage.selectors.access import find_scope
from usage.selectors.filters import ORGANIZATION
from usage.selectors.questions import UsageAnswer, UsageQuery
from usage.selectors.usage import query_usage


def rank(query: UsageQuery, name: str, limit: int) -> UsageAnswer:
    """The first `limit` rows of a question grouped by `name`, leaving out usage that gives none.

    `name` stands in `group_by` alone or beside the organization, so that each organization has
    one row without it at most. The totals hold all usage. Raises QuestionError.
    """
    spare = len(find_scope(query.viewer, query.filters.get(ORGANIZATION)))
    answer = query_usage(replace(query, limit=limit + max(spare, 1)))
    rows = [row for row in answer.rows if row.group[name] is not None][:limit]
    return replace(answer, rows=rows, next_cursor=None)


def leaders(answer: UsageAnswer, name: str, by: str, limit: int) -> UsageAnswer:
    """The first `limit` rows of an answer grouped by `name` alone, those with most of the sum
    `by` first, as a question of that order would have them."""
    named = sorted(answer.rows, key=lambda row: row.group[name] or "")
    named.sort(key=lambda row: getattr(row.sums, by), reverse=True)
    return replace(answer, rows=named[:limit], next_cursor=None)
