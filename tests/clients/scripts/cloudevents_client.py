"""A client of CloudEvents: one event, a batch, and two events as OpenMeter's users send them."""

import json
import os
from datetime import UTC, datetime
from typing import Any

import httpx
from cloudevents.core.bindings.http import to_structured_event
from cloudevents.core.v1.event import CloudEvent

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
CHAT = {
    "provider": "openai",
    "model": "gpt-5",
    "usage": {
        "prompt_tokens": 2006,
        "completion_tokens": 1300,
        "prompt_tokens_details": {"cached_tokens": 1920},
    },
}


def main() -> None:
    headers = {"Authorization": f"Bearer {os.environ['TALLYMAN_KEY']}"}
    url = os.environ["TALLYMAN_URL"] + "/api/v1/events/"
    with httpx.Client(headers=headers, timeout=300) as client:
        message = to_structured_event(event("ce-structured-1", CHAT))
        post(client, url, message.body, message.headers)
        batch = [json.loads(to_structured_event(event(f"ce-batch-{n}", CHAT)).body) for n in (1, 2)]
        kind = {"content-type": "application/cloudevents-batch+json"}
        post(client, url, json.dumps(batch).encode(), kind)
        for side, tokens in (("input", 2006), ("output", 1300)):
            data = {"tokens": str(tokens), "model": "gpt-5", "type": side}
            message = to_structured_event(event(f"om-{side}-1", data, "prompt"))
            post(client, url, message.body, message.headers)


def event(event_id: str, data: dict[str, Any], kind: str = "ai.call") -> CloudEvent:
    attributes = {
        "id": event_id,
        "source": "billing-bot",
        "type": kind,
        "subject": "customer-1",
        "time": AT,
        "datacontenttype": "application/json",
        "specversion": "1.0",
    }
    return CloudEvent(attributes=attributes, data=data)


def post(client: httpx.Client, url: str, body: Any, headers: Any) -> None:
    """Send until it is answered for, as a client with a queue does."""
    while (answer := client.post(url, content=body, headers=dict(headers))).status_code >= 500:
        pass
    answer.raise_for_status()


if __name__ == "__main__":
    main()
