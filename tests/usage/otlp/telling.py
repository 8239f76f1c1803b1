from typing import Any

from usage.mapping.book import Rule, RuleBook
from usage.mapping.shipped import SHIPPED
from usage.otlp.genai import Told, read_genai
from usage.otlp.values import Resource, Span

# input, output, cache read, cache write, of it for an hour, reasoning
Counts = tuple[int, int, int, int, int, int]

TRACE = "0af7651916cd43dd8448eb211c80319c"
NOON_NS = 1_795_176_000_000_000_000  # 2026-11-20 12:00 UTC
SENDER = Resource({})
SHIPPED_RULES = RuleBook([Rule(r.attribute, r.target, r.value, r.tag) for r in SHIPPED], {})


def span(number: int = 1, inside: int = 0, *, trace: str = TRACE, **told: Any) -> Span:
    given = told.pop("resource", None)
    resource = SENDER if given is None else Resource(given)
    attributes = told.pop("attributes", None)
    if attributes is None:
        attributes = chat(**told.pop("chat", {}))
    values = {
        "scope": "test", "name": "chat gpt-5", "start_ns": NOON_NS,
        "end_ns": NOON_NS + 1_500_000_000, **told,
    }  # fmt: skip
    return Span(
        resource=resource,
        trace_id=trace,
        span_id=f"{number:016x}" if number else "",
        parent_id=f"{inside:016x}" if inside else "",
        attributes=attributes,
        **values,
    )


def chat(*counts: int | None, **more: Any) -> dict[str, Any]:
    input_tokens, output_tokens = counts or (100, 10)
    told = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": input_tokens,
        "gen_ai.usage.output_tokens": output_tokens,
        **more,
    }
    return {name: value for name, value in told.items() if value is not None}


def told(attributes: dict[str, Any], scope: str = "", name: str = "", **more: Any) -> Told:
    found = read_genai(attributes, scope, name, **more)
    assert isinstance(found, Told), found
    return found


def counts_of(found: Told) -> Counts:
    given = found.counts
    return (
        given["input_tokens"], given["output_tokens"], given["cache_read_tokens"],
        given["cache_write_tokens"], given["cache_write_1h_tokens"], given["reasoning_tokens"],
    )  # fmt: skip


def vercel_call(provider: str, model: str, **usage: Any) -> dict[str, Any]:
    given = {f"ai.usage.{name}": count for name, count in usage.items()}
    return {
        "ai.operationId": "ai.generateText.doGenerate",
        "ai.model.id": model,
        "ai.model.provider": provider,
        "gen_ai.system": provider,
        "gen_ai.request.model": model,
        **given,
    }
