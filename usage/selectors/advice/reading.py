"""The facts that advice rests on: a few grouped sums, whose number the database bounds."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pricing.compiled import PriceValue
from pricing.price_book import current_book
from usage.models import Organization
from usage.replica import reading
from usage.selectors.access import Viewer, find_scope
from usage.selectors.advice.models import SHORT_OUTPUT
from usage.selectors.advice.sessions import TIMES
from usage.selectors.advice.values import (
    CacheUse,
    Counts,
    FailedCalls,
    FailedRuns,
    ModelUse,
    PriceOf,
    SessionCost,
)
from usage.selectors.currency import ledger_currency
from usage.selectors.filters import ORGANIZATION, Parameters, condition, read_filters
from usage.selectors.periods import Bounds
from usage.selectors.questions import QuestionError, UsageQuery, UsageRow
from usage.selectors.usage import query_usage

FILTERS = (
    ORGANIZATION, "project", "subject", "provider", "model", "operation", "action", "agent_type",
    "billing_scope",
)  # fmt: skip
"""What advice can be filtered by: the dimensions that whole runs have, too."""

MAX_GROUPS = 5_000
MAX_EPISODES = 50
_COUNTS = (
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
    "cache_write_1h_tokens",
)  # fmt: skip
_SESSIONS = f"""
    WITH each AS MATERIALIZED (
        SELECT r.organization_id, coalesce(r.project_id, 0) AS project_id, k.action, r.session_id,
               sum(r.cost) AS cost
        FROM usage_usagerollup r JOIN usage_callkind k ON k.id = r.kind_id
        WHERE {{conditions}} AND r.session_id IS NOT NULL GROUP BY 1, 2, 3, 4
    ), usual AS (
        SELECT organization_id, project_id, action, count(*) AS sessions,
               percentile_disc(0.5) WITHIN GROUP (ORDER BY cost) AS median
        FROM each GROUP BY 1, 2, 3
    )
    SELECT o.slug, p.slug, action, e.session_id, e.cost, u.median, u.sessions
    FROM each e JOIN usual u USING (organization_id, project_id, action)
    JOIN usage_organization o ON o.id = organization_id
    LEFT JOIN usage_project p ON p.id = project_id
    WHERE e.cost > {TIMES} * u.median ORDER BY e.cost DESC, e.session_id LIMIT {MAX_EPISODES}
"""
_IS_SHORT = f"(r.output_tokens BETWEEN 1 AND {SHORT_OUTPUT} * r.events)"
_SHORT = ", ".join(
    f"coalesce(sum(r.{name}) FILTER (WHERE {_IS_SHORT}), 0)::bigint AS {name}"
    for name in ("events", *_COUNTS)
)
_USES = f"""
    WITH used AS (
        SELECT r.organization_id, r.project_id, r.kind_id, sum(r.events)::bigint AS calls, {_SHORT},
               coalesce(sum(r.cost) FILTER (WHERE {_IS_SHORT}), 0) AS cost
        FROM usage_usagerollup r WHERE {{conditions}} AND r.unpriced_events = 0 GROUP BY 1, 2, 3
    )
    SELECT o.slug, p.slug, k.provider, k.model, k.operation, k.service_tier,
           sum(calls)::bigint, sum(events)::bigint,
           {", ".join(f"sum({name})::bigint" for name in _COUNTS)}, sum(cost)
    FROM used u JOIN usage_callkind k ON k.id = u.kind_id
    JOIN usage_organization o ON o.id = u.organization_id
    LEFT JOIN usage_project p ON p.id = u.project_id
    WHERE k.provider <> '' GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY sum(cost) DESC LIMIT {MAX_GROUPS}
"""
_RUNS = f"""
    WITH failed AS (
        SELECT r.* FROM (SELECT *, main_kind_id AS kind_id FROM usage_runrollup) r
        WHERE {{conditions}} AND r.errors * 3 >= r.events AND r.cost > 0
    )
    SELECT o.slug, p.slug, f.run_trigger, count(*), sum(f.events)::bigint, sum(f.errors)::bigint,
           sum(f.cost), (array_agg(f.run_id ORDER BY f.cost DESC, f.run_id))[1]
    FROM failed f JOIN usage_organization o ON o.id = f.organization_id
    LEFT JOIN usage_project p ON p.id = f.project_id
    WHERE EXISTS (
        SELECT FROM usage_runrollup again
        WHERE again.organization_id = f.organization_id AND again.started_at > f.started_at
          AND again.started_at <= f.ended_at + interval '1 hour'
          AND again.run_trigger = f.run_trigger
          AND coalesce(again.project_id, 0) = coalesce(f.project_id, 0)
          AND coalesce(again.subject_id, 0) = coalesce(f.subject_id, 0)
    )
    GROUP BY 1, 2, 3 ORDER BY 7 DESC LIMIT {MAX_EPISODES}
"""
_CALLS = f"""
    SELECT o.slug, p.slug, k.provider, k.model, sum(r.events)::bigint, sum(r.cost)
    FROM usage_usagerollup r JOIN usage_callkind k ON k.id = r.kind_id
    JOIN usage_organization o ON o.id = r.organization_id
    LEFT JOIN usage_project p ON p.id = r.project_id
    WHERE {{conditions}} AND r.run_id IS NULL AND r.errors = r.events AND r.cost > 0
    GROUP BY 1, 2, 3, 4 ORDER BY 6 DESC LIMIT {MAX_EPISODES}
"""


@dataclass(frozen=True, slots=True)
class Period:
    """Whose usage is looked at, and when; `filters` are as in a `UsageQuery`."""

    viewer: Viewer
    bounds: Bounds
    filters: Mapping[str, Collection[str]]

    def sessions(self) -> list[SessionCost]:
        """The dearest sessions of those far above their project's median, within the period."""
        return [SessionCost(*row) for row in self._ask(_SESSIONS, "bucket")]

    def uses(self) -> list[ModelUse]:
        """What projects used of priced models, and how much of it with short outputs.

        A quarter of an hour of a session is short when its calls are on average.
        """
        rows = self._ask(_USES, "bucket")
        named = (
            "organization",
            "project",
            "provider",
            "model",
            "operation",
            "service_tier",
            "calls",
        )
        return [
            ModelUse(**dict(zip(named, row, strict=False)), short=Counts(*row[len(named) :]))
            for row in rows
        ]

    def failed_runs(self) -> list[FailedRuns]:
        """Runs that began in the period, of which a third of the calls or more failed, and after
        which the same person or service began another of the project within an hour."""
        return [FailedRuns(*row) for row in self._ask(_RUNS, "started_at")]

    def failed_calls(self) -> list[FailedCalls]:
        """Billed calls outside runs of quarter hours in which all calls alike failed."""
        return [FailedCalls(*row) for row in self._ask(_CALLS, "bucket")]

    def cache_uses(self, *, of_peers: bool = False) -> list[CacheUse]:
        """The cached input of each project and model; `of_peers` of all that the viewer sees."""
        kept = ("provider", "model") if of_peers else tuple(self.filters)
        answer = query_usage(
            UsageQuery(
                viewer=self.viewer,
                start=self.bounds.start,
                end=self.bounds.end,
                time_zone=self.bounds.zone.key,
                group_by=(ORGANIZATION, "project", "provider", "model"),
                filters={name: self.filters[name] for name in kept if name in self.filters},
                order_by="-cost",
                limit=MAX_GROUPS,
            )
        )
        return [_cache_use(row) for row in answer.rows]

    def _ask(self, statement: str, when: str) -> list[tuple[Any, ...]]:
        parameters = Parameters()
        scope = [s.id for s in find_scope(self.viewer, self.filters.get(ORGANIZATION))]
        conditions = [
            f"r.organization_id = ANY({parameters.add(scope)}::int[])",
            f"r.{when} >= {parameters.add(self.bounds.start)}",
            f"r.{when} < {parameters.add(self.bounds.end)}",
            *(condition(parameters, scope, wanted) for wanted in read_filters(self.filters)),
        ]
        with reading().cursor() as cursor:
            cursor.execute(statement.format(conditions=" AND ".join(conditions)), parameters.values)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows


def _cache_use(row: UsageRow) -> CacheUse:
    group, sums = row.group, row.sums
    counts = {name: getattr(sums, name) for name in ("events", *_COUNTS, "cost")}
    return CacheUse(
        organization=group[ORGANIZATION] or "",
        project=group["project"],
        provider=group["provider"] or "",
        model=group["model"] or "",
        counts=Counts(**counts),
    )


def check_filters(filters: Mapping[str, Collection[str]]) -> None:
    """Raise QuestionError for filters that advice does not know."""
    for name in filters:
        if name not in FILTERS:
            raise QuestionError(
                name, "unsupported", f"Advice can be filtered by {', '.join(FILTERS)}."
            )


def prices_at(at: datetime) -> PriceOf:
    """Prices in force at `at` or now, whatever is earlier, in the ledger currency."""
    at, book, ledger = min(at, datetime.now(UTC)), current_book(), ledger_currency()
    cards = dict(Organization.objects.values_list("slug", "rate_card_id"))

    def price_of(organization: str, provider: str, model: str, tier: str) -> PriceValue | None:
        price = book.find(provider, model, at, tier, cards.get(organization))
        return None if price is None else book.in_currency(price, ledger, at)

    return price_of
