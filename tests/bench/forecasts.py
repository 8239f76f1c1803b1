"""How long it takes to forecast ten thousand budgets."""

import json
import tempfile
from pathlib import Path

from tests.bench.figures import Figure, limited
from tests.bench.stack import installed

SUBJECTS, DAYS = 10_000, 190
_FILL = f"""
from decimal import Decimal
from uuid import uuid4
from django.db import connection
from budgets.models import Budget
from budgets.setting import Actor, save_budget
from usage.models import CallKind, Subject
from usage.organizations import ensure_organization
owner = ensure_organization("bench")
kind = CallKind.objects.create(digest=uuid4(), provider="anthropic", model="claude-sonnet-4-5")
Subject.objects.bulk_create(Subject(organization=owner, key=f"s{{n}}") for n in range({SUBJECTS}))
with connection.cursor() as cursor:
    cursor.execute(
        "INSERT INTO usage_dailyrollup (organization_id, subject_id, kind_id, day, events, errors,"
        " unpriced_events, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,"
        " cache_write_1h_tokens, reasoning_tokens, duration_ms, cost, input_cost, output_cost,"
        " cache_cost)"
        " SELECT s.organization_id, s.id, %s, current_date - d, 10, 0, 0, 5000, 500, 0, 0, 0, 0,"
        " 900, round((random() * 3)::numeric, 4), 0, 0, 0"
        " FROM usage_subject s, generate_series(0, {DAYS - 1}) d",
        [kind.pk],
    )
    cursor.execute("ANALYZE usage_dailyrollup, usage_subject")
each = Budget(organization=owner, per="subject", period="month", limit=Decimal(40))
save_budget(each, None, Actor(None, "bench"))
with connection.cursor() as cursor:
    cursor.execute("DELETE FROM budgets_budgetwindow")
    cursor.execute(
        "INSERT INTO budgets_budgetwindow (budget_id, member, start, \\"end\\", is_hard,"
        " \\"limit\\", spent, reserved, overage, unpriced_events, is_overcommitted, opened_at)"
        " SELECT %s, r.subject_id, date_trunc('month', now(), 'UTC'),"
        " date_trunc('month', now(), 'UTC') + interval '1 month', false, 40, sum(r.cost), 0, 0, 0,"
        " false, now() FROM usage_dailyrollup r"
        " WHERE r.day >= date_trunc('month', now(), 'UTC')::date GROUP BY 2",
        [each.pk],
    )
"""
_RUN = """
import json, resource, time
from django.utils import timezone
from budgets.forecasts.storing import renew_forecasts
from budgets.models import Alert
from budgets.watching.overruns import watch_overruns
def memory():
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
before, worked, began, now = memory(), time.process_time(), time.perf_counter(), timezone.now()
made = renew_forecasts(now)
reckoned, worked = time.perf_counter() - began, time.process_time() - worked
watch_overruns(now)
print(json.dumps({
    "forecasts": made,
    "seconds": round(reckoned, 1),
    "of_them_in_python": round(worked, 1),
    "with_alerts_seconds": round(time.perf_counter() - began, 1),
    "alerts": Alert.objects.count(),
    "megabytes_before": before,
    "megabytes_at_most": memory(),
}))
"""


def bench_forecasts() -> list[Figure]:
    """A first run, and one that finds everything there."""
    with (
        tempfile.TemporaryDirectory(prefix="tallyman-bench-") as folder,
        installed(Path(folder)) as stack,
    ):
        stack.shell(_FILL)
        runs = [json.loads(stack.shell(_RUN).splitlines()[-1]) for _ in range(2)]
    names = (f"forecasts of {SUBJECTS:,} members of a budget", "  the same once they are there")
    return [
        limited(name, "s", [run["seconds"]], **run) for name, run in zip(names, runs, strict=True)
    ]
