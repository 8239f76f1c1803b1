"""Loaded by the schemathesis process: bodies of its own media types, and names that exist."""

import json
import os
from typing import Any

import schemathesis

EXISTING = {
    "event_id": "e1", "slug": "web", "key": "ann", "session_id": "s1", "run_id": "r1",
    "project": "web", "subject": "ann", "team": "core", "budget_id": "1", "decision_id": "1",
    "reservation_id": os.environ["SEEDED_RESERVATION"], "alert_id": "1", "channel_id": "1",
}  # fmt: skip
"""What the test has seeded; an organization is called by its slug, too."""


@schemathesis.serializer("application/cloudevents+json", "application/cloudevents-batch+json")
def as_json(_context: Any, value: Any) -> bytes:
    return json.dumps(value).encode()


@schemathesis.serializer("application/x-ndjson")
def as_lines(_context: Any, value: Any) -> bytes:
    return (
        value.encode("utf-8", "replace") if isinstance(value, str) else json.dumps(value).encode()
    )


@schemathesis.serializer("application/x-protobuf")
def as_bytes(_context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@schemathesis.hook("map_path_parameters")
def map_path_parameters(
    context: Any, path_parameters: dict[str, Any] | None
) -> dict[str, Any] | None:
    if not path_parameters:
        return path_parameters
    names = dict(EXISTING)
    if context.operation.path.startswith("/api/v1/organizations/"):
        names["slug"] = "acme"
    # Every other name is one that exists.
    return {
        name: names[name] if name in names and len(str(value)) % 2 else value
        for name, value in path_parameters.items()
    }
