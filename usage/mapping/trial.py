"""What the rules would make of given attributes, and why. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from usage.ingest.values import SubjectValue
from usage.mapping.book import IGNORE, TAG, Attributes, Hit, RuleBook, fields_of, tags_of, text_for
from usage.mapping.content import is_content

SOURCES = ("call", "resource")


@dataclass(frozen=True, slots=True)
class Tried:
    """One attribute: the rule that decided (its id and words; 0 = none), and what came of it."""

    source: str
    attribute: str
    rule: int
    rule_text: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Trial:
    """The attributes in the order in which they win, and the fields an event would have."""

    tried: list[Tried]
    fields: list[tuple[str, str]]


def try_rules(book: RuleBook, told: Sequence[Attributes], organization: str | None) -> Trial:
    """What would become of a call whose record and resource tell these attributes."""
    hits = book.hits(told, organization)
    decided = {(hit.source, hit.name) for hit in hits}
    tried = [*_decided(hits, organization), *_undecided(told, decided)]
    return Trial(tried, list(_shown(fields_of(hits, organization))))


def _decided(hits: Sequence[Hit], organization: str | None) -> Iterator[Tried]:
    filled: set[str] = set()
    for hit in hits:
        rule = hit.rule
        written = (
            f"{rule.attribute}{f' = {rule.value}' if rule.value else ''} → {_plain(rule.target)}"
        )
        outcome = _outcome(hit, filled, organization)
        yield Tried(SOURCES[min(hit.source, 1)], hit.name, rule.pk, written, outcome)


def _outcome(hit: Hit, filled: set[str], organization: str | None) -> str:
    target = hit.rule.target
    if target == IGNORE:
        return "left out"
    if target == TAG:
        new = [(name, value) for name, value in tags_of(hit) if f"tag {name}" not in filled]
        filled.update(f"tag {name}" for name, _ in new)
        return ", ".join(f"tag {name}={value}" for name, value in new) or "left out: no new tag"
    if target == "organization" and organization is not None:
        return "left out: the key belongs to an organization"
    text = text_for(hit)
    if not text or target in filled:
        return "left out: another comes first" if text else "left out: not fit for this"
    filled.add(target)
    return f"{_plain(target)} {text}"


def _undecided(told: Sequence[Attributes], decided: set[tuple[int, str]]) -> Iterator[Tried]:
    for source, attributes in enumerate(told):
        for name in attributes:
            if (source, name) not in decided:
                secret = is_content(name)
                outcome = (
                    "never read: may hold a prompt, an answer or a secret" if secret else "no rule"
                )
                yield Tried(SOURCES[min(source, 1)], name, 0, "", outcome)


def _shown(fields: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in fields.items():
        if isinstance(value, SubjectValue):
            parts = (value.key, value.display_name, value.email if value.email != value.key else "")
            yield name, ", ".join(filter(None, parts))
        elif isinstance(value, dict):
            yield name, ", ".join(f"{tag}={text}" for tag, text in value.items())
        else:
            yield _plain(name), str(value)


def _plain(target: str) -> str:
    return target.removesuffix("_id").replace("_", " ")
