"""The calls of the requirements' sample reports, and reports as text."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO

from django.core.management import call_command
from rich.console import Console

from tests.usage.conftest import event
from usage.ingest.values import EventValue
from usage.management.typed import WIDTH_OF_FILES
from usage.reports.as_text import as_text
from usage.reports.documents import Document
from usage.reports.scope import Scope, open_scope

SESSION = "session-abc123"
SESSION_START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
FEBRUARY_21 = datetime(2024, 2, 21, 12, tzinfo=UTC)


def split(whole: int, parts: int) -> list[int]:
    return [whole // parts + (1 if place < whole % parts else 0) for place in range(parts)]


def session_calls() -> Iterator[EventValue]:
    """42 calls in 83 minutes: 620,000 tokens in and 230,000 out."""
    counts = zip(split(620_000, 42), split(230_000, 42), strict=True)
    for place, (tokens_in, tokens_out) in enumerate(counts):
        yield event(
            f"call-{place}",
            occurred_at=SESSION_START + timedelta(minutes=83) * place / 41,
            session_id=SESSION,
            input_tokens=tokens_in,
            output_tokens=tokens_out,
        )


def february_calls() -> Iterator[EventValue]:
    """24 sessions that cost 127.50: web 82.50 and api 45.00, opus 95.25 and sonnet 32.25."""
    opus, sonnet = "claude-opus-4-20250514", "claude-sonnet-4-5"
    web, api_opus = split(5_500_000, 14), split(850_000, 4)
    calls = [("web", opus, tokens, 0) for tokens in web]
    calls += [("api", opus, tokens, 0) for tokens in api_opus]
    calls += [("api", sonnet, 0, tokens) for tokens in split(2_150_000, 6)]
    for place, (project, model, tokens_in, tokens_out) in enumerate(calls):
        yield event(
            f"feb-{place}",
            occurred_at=datetime(2024, 2, 1 + place % 21, 12, tzinfo=UTC),
            project=project,
            model=model,
            session_id=f"session-{place}",
            input_tokens=tokens_in,
            output_tokens=tokens_out,
        )


def message_calls(now: datetime) -> Iterator[EventValue]:
    """45 messages in the hours before `now`: web 28 with 620,000 tokens, api 17 with 230,000."""
    for project, tokens, messages in (("web", 620_000, 28), ("api", 230_000, 17)):
        for place, part in enumerate(split(tokens, messages)):
            yield event(
                f"{project}-{place}",
                occurred_at=now - timedelta(hours=2) + timedelta(minutes=place),
                project=project,
                session_id=f"talk-{project}",
                input_tokens=part,
                output_tokens=0,
            )


def scope_at(now: datetime, **chosen: object) -> Scope:
    return open_scope(now=now, **chosen)  # type: ignore[arg-type]


def text_of(document: Document, zone: str = "UTC", *, unicode: bool = True) -> str:
    console = Console(width=WIDTH_OF_FILES, file=StringIO(), highlight=False)
    with console.capture() as captured:
        for part in as_text(document, zone, unicode=unicode):
            console.print(part)
    return captured.get()


def lines_of(text: str) -> list[str]:
    """Lines with single blanks, so that a test reads like the report."""
    return [" ".join(line.split()) for line in text.splitlines()]


def cost(*arguments: str) -> str:
    out = StringIO()
    call_command("cost", *arguments, stdout=out)
    return out.getvalue()
