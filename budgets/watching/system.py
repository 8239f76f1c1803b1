"""What is wrong with the installation itself, as those should know who look after it.

The facts of such an alert: `what` is wrong, `since` when (None where nobody knows), `detail`, and
a `hint` at what to do. All but those of channels and bills concern the whole site. That beat is
silent it cannot tell itself: the readiness endpoint does.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from budgets.alerts.keeping import Finding, keep
from budgets.channels.failing import channel_findings
from budgets.models import Alert, Budget
from budgets.selectors.queue import waiting_since
from pricing.selectors.health import failing_syncs, latest_rate_days, priced_currencies
from usage.formats import day
from usage.ingest.partitions import month_of
from usage.selectors.currency import ledger_currency
from usage.selectors.faults import broken_exports, failing_bills, lacks_partition
from usage.selectors.freshness import system_state

LATE = timedelta(minutes=5)
"""So long sums may be behind, and tasks may wait for a worker."""
NEVER_SYNCED = timedelta(hours=26)
"""So long a source that has never worked may fail: for more than one daily run."""
OLD_RATE = timedelta(days=14)
PARTITION_AHEAD = timedelta(days=7)
EXPORTS_LOOK_BACK = timedelta(days=1)
BILLS_FAIL = timedelta(days=1)
"""So long a bill may fail to be fetched: it is tried every few hours."""


def watch_system(now: datetime) -> None:
    """Open an alert for whatever is wrong as of `now`, aware; what works again is over."""
    findings = (
        *_sums(now),
        *_queue(now),
        *_syncs(now),
        *_rates(now),
        *_partitions(now),
        *_exports(now),
        *_bills(now),
        *channel_findings(now),
    )
    keep(Alert.Kind.SYSTEM, findings, now)


def _sums(now: datetime) -> Iterator[Finding]:
    state = system_state()
    if state.lag_seconds(now) > LATE.total_seconds():
        yield _finding(
            "lag",
            "sums are behind",
            state.oldest_mark_at,
            f"{state.pending_marks:,} quarters of an hour wait to be summed up",
            "See whether the workers run and whether their log tells of errors; budgets are not"
            " affected.",
        )


def _queue(now: datetime) -> Iterator[Finding]:
    oldest = waiting_since()
    if oldest is not None and now - oldest > LATE:
        yield _finding(
            "queue",
            "tasks wait for a worker",
            oldest,
            "",
            "Start more workers, or see what those that run are busy with.",
        )


def _syncs(now: datetime) -> Iterator[Finding]:
    for sync in failing_syncs():
        if not sync.has_worked and now - sync.since <= NEVER_SYNCED:
            continue
        yield _finding(
            f"sync:{sync.source}",
            f"prices of {sync.source} could not be brought up to date",
            sync.since,
            sync.error,
            "The prices known before hold on. Look at the price syncs.",
        )


def _rates(now: datetime) -> Iterator[Finding]:
    budgets = Budget.objects.filter(enabled=True).exclude(currency="")
    used = {*budgets.order_by().values_list("currency", flat=True).distinct(), *priced_currencies()}
    for currency, last in latest_rate_days(sorted(used - {ledger_currency()})).items():
        since = None if last is None else datetime(last.year, last.month, last.day, tzinfo=UTC)
        if since is None or now - since > OLD_RATE:
            yield _finding(
                f"rate:{currency}",
                f"the exchange rate of {currency} is old" if last else f"no rate of {currency}",
                since,
                f"The latest is of {day(last)}" if last else "There is none at all",
                "Import exchange rates: prices and budgets in this currency convert by the"
                " latest one.",
            )


def _partitions(now: datetime) -> Iterator[Finding]:
    ahead = month_of(now + PARTITION_AHEAD)
    if lacks_partition(ahead):
        yield _finding(
            f"partition:{ahead:%Y-%m}",
            f"events of {ahead:%B %Y} have no table yet",
            None,
            "",
            "See whether the task that makes them ahead is scheduled and what its log tells.",
        )


def _exports(now: datetime) -> Iterator[Finding]:
    broken = broken_exports(now - EXPORTS_LOOK_BACK)
    if broken is not None:
        yield _finding(
            "exports",
            "exports cannot be written",
            broken.since,
            f"{broken.count:,} given up. {broken.error}",
            "See what the log of the workers tells, then ask for the export again.",
        )


def _bills(now: datetime) -> Iterator[Finding]:
    for bill in failing_bills(now - BILLS_FAIL):
        yield _finding(
            f"bill:{bill.pk}",
            f"provider bill {bill} cannot be fetched",
            bill.failing_since,
            bill.fault,
            "Look at the provider bill: its key may have been taken back.",
            bill.organization_id,
        )


def _finding(
    key: str,
    what: str,
    since: datetime | None,
    detail: str,
    hint: str,
    organization_id: int | None = None,
) -> Finding:
    facts = {"what": what, "since": since, "detail": detail, "hint": hint}
    return Finding(key, Alert.Severity.WARNING, facts, organization_id)
