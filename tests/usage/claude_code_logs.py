"""Rows of Claude Code logs, recorded and made up, and what became of them."""

import json
from pathlib import Path
from typing import Any

from django.db.models import Count, Sum

from usage.importers.claude_code import Origin
from usage.models import UsageEvent

SAMPLES = json.loads(
    (Path(__file__).parent.parent / "samples" / "claude_code_jsonl.json").read_text()
)
ORIGIN = Origin(subject="ann")


def row(**changes: Any) -> dict[str, Any]:
    usage = changes.pop("usage", {"input_tokens": 10, "output_tokens": changes.pop("output", 5)})
    message = {"id": changes.pop("id", "m"), "model": changes.pop("model", "claude-opus-4-8")}
    return {
        "type": "assistant",
        "message": {**message, "usage": usage},
        "requestId": f"r-{message['id']}",
        "timestamp": "2026-11-20T10:00:00.000Z",
        "cwd": "/srv/shop",
        "sessionId": "s",
        **changes,
    }


def counted() -> dict[str, Any]:
    return UsageEvent.objects.filter(state=UsageEvent.State.COUNTED).aggregate(
        events=Count("id"),
        input=Sum("input_tokens"),
        output=Sum("output_tokens"),
        cost=Sum("cost"),
    )


def by_day() -> dict[str, dict[str, Any]]:
    days = UsageEvent.objects.filter(state=UsageEvent.State.COUNTED).values("occurred_at__date")
    sums = days.annotate(
        input=Sum("input_tokens") - Sum("cache_read_tokens") - Sum("cache_write_tokens"),
        output=Sum("output_tokens"),
        cacheCreation=Sum("cache_write_tokens"),
        cacheRead=Sum("cache_read_tokens"),
        cost=Sum("cost"),
    )
    return {
        str(day["occurred_at__date"]): {n: v for n, v in day.items() if n != "occurred_at__date"}
        for day in sums
    }


def picture() -> list[tuple[Any, ...]]:
    """What counts, without the ids that tell how it came to count."""
    return sorted(
        UsageEvent.objects.filter(state=UsageEvent.State.COUNTED).values_list(
            "occurred_at", "session_id", "project__slug", "kind__agent_type",
            "input_tokens", "output_tokens", "cost",
        )
    )  # fmt: skip
