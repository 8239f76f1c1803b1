"""Lines for programs that tell their calls themselves, for logs and for bills."""

HTTP_TOLD = (
    "One event, an array or NDJSON, up to 10,000 at a time. In place of counts an event may hold"
    " the provider's own usage object. The answer has a receipt with the cost of each."
)
HTTP_CURL = """
curl -sS {URL}/api/v1/events/ \\
  -H "Authorization: Bearer {KEY}" \\
  -H "Content-Type: application/json" \\
  -d '{"event_id": "first-'$(date +%s)'",
       "occurred_at": "'$(date -u +%Y-%m-%dT%H:%M:%SZ)'",
       "project": "web", "subject": "ann",
       "provider": "anthropic", "model": "claude-sonnet-4-5",
       "usage": {"input_tokens": 1200, "output_tokens": 300}}'
"""

PYTHON_TOLD = (
    "Whatever is recorded, from a thread of its own: the call is never held up, and what cannot be"
    " sent is kept and sent again. The same file asks budgets before a call."
)
PYTHON_SHELL = """
curl -fsSO {URL}/static/tallyman/tallyman.py
export TALLYMAN_URL={URL}
export TALLYMAN_KEY={KEY}
"""
PYTHON_CODE = """
import tallyman

answer = client.messages.create(...)
tallyman.record(answer, provider="anthropic", project="web", subject="ann")
"""

CLOUDEVENTS_TOLD = (
    "Events of CloudEvents 1.0, single or in batches. `data` is an event of Tallyman, or what"
    " OpenMeter's clients send: tokens, model and type."
)
CLOUDEVENTS_CURL = """
curl -sS {URL}/api/v1/events/ \\
  -H "Authorization: Bearer {KEY}" \\
  -H "Content-Type: application/cloudevents+json" \\
  -d '{"specversion": "1.0", "type": "prompt", "source": "web",
       "id": "first-'$(date +%s)'", "subject": "ann",
       "time": "'$(date -u +%Y-%m-%dT%H:%M:%SZ)'",
       "data": {"model": "gpt-5", "input_tokens": 1200, "output_tokens": 300}}'
"""
OPENMETER_PYTHON = """
from datetime import datetime, timezone
from uuid import uuid4

import httpx
from cloudevents.core.bindings.http import to_structured_event
from cloudevents.core.v1.event import CloudEvent

about = {
    "type": "prompt",
    "source": "web",
    "subject": "ann",
    "specversion": "1.0",
    "id": str(uuid4()),
    "time": datetime.now(timezone.utc),
}
event = CloudEvent(about, {"tokens": "1200", "model": "gpt-5", "type": "input"})
message = to_structured_event(event)
headers = {**message.headers, "Authorization": "Bearer {KEY}"}
httpx.post("{URL}/api/v1/events/", content=message.body, headers=headers)
"""

LOGS_TOLD = (
    "What Claude Code has written on this machine, for months past. It may be repeated, and"
    " sessions that live telemetry has told already count once."
)
LOGS_SHELL = """
python manage.py import claude-code ~/.claude/projects --organization {ORGANIZATION}
"""

BILLS_TOLD = (
    "What providers say they charge, by day, model and project, read every three hours. It is"
    " compared with what was recorded here, and each difference gets a name."
)
BILLS_SHELL = """
export TALLYMAN_ANTHROPIC_ADMIN_KEY=sk-ant-admin…
export TALLYMAN_OPENAI_ADMIN_KEY=sk-admin-…
export TALLYMAN_OPENROUTER_KEY=sk-or-…
"""
BILLS_FILE = """
python manage.py import bill --source "Anthropic account" usage.json cost.json
"""
