"""What rules make of attributes. Pure.

Of an organization's records its own rules look first, then those of the site. The first rule in
order that fits an attribute decides about it. Where several attributes would become the same
field, an organization's own rule precedes one of the site, what the record says precedes what
the resource says, and then the order of the rules decides.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple

from usage.ingest.values import MAX_TAGS, SubjectValue
from usage.mapping.content import is_content
from usage.mapping.values import (
    MAX_TAG_NAME,
    MAX_TAG_VALUE,
    fits,
    is_email,
    name_of,
    tags_of_list,
    text_of,
)

ORGANIZATION = "organization"
TAG = "tag"
IGNORE = "ignore"
_SUBJECT = ("subject", "subject_email", "subject_name")
_REMEMBERED_NAMES = 10_000
_MOST_HITS = 256

Attributes = Mapping[str, Any]


class Rule(NamedTuple):
    """A rule in force, as `AttributeRule` describes it; `own` tells that of an organization."""

    attribute: str
    target: str
    value: str = ""
    tag: str = ""
    becomes: str = ""
    own: bool = False
    pk: int = 0


class Hit(NamedTuple):
    """A rule that decided about an attribute. What sorts first wins; a source has a name once."""

    of_site: bool
    source: int
    place: int
    name: str
    value: Any
    rule: Rule


class RuleBook:
    """The rules in force: those of the site, and by slug those of organizations."""

    def __init__(self, site: Sequence[Rule], own: Mapping[str, Sequence[Rule]]) -> None:
        self._site = _Ordered(site)
        self._own = {
            # None of an organization's own rules may hand its records to another one.
            slug: _Ordered([*(rule for rule in rules if rule.target != ORGANIZATION), *site])
            for slug, rules in own.items()
        }

    def map(self, told: Sequence[Attributes], organization: str | None) -> dict[str, Any]:
        """The fields of an event (`EventValue`) that attributes tell; no field is empty.

        `told` are the record's attributes and then those of its resource. `organization` is the
        slug of the key's own, which no rule changes; None means a site key, for which rules
        choose.
        """
        return fields_of(self.hits(told, organization), organization)

    def hits(self, told: Sequence[Attributes], organization: str | None) -> list[Hit]:
        """The rules that decided, those that win first."""
        if organization is None:
            named = fields_of(self._site.hits(told), None).get(ORGANIZATION)
            return self._of(named).hits(told)
        return self._of(organization).hits(told)

    def _of(self, organization: str | None) -> "_Ordered":
        return self._own.get(organization or "", self._site)


def fields_of(hits: Sequence[Hit], organization: str | None) -> dict[str, Any]:
    """What hits, those that win first, make of an event of this organization."""
    texts: dict[str, str] = {}
    tags: dict[str, str] = {}
    for hit in hits:
        target = hit.rule.target
        if target == TAG:
            for name, value in tags_of(hit):
                tags.setdefault(name, value)
        elif target != IGNORE and target not in texts and (text := text_for(hit)):
            texts[target] = text
    fields: dict[str, Any] = {
        target: text for target, text in texts.items() if target not in _SUBJECT
    }
    if organization is not None:
        fields.pop(ORGANIZATION, None)
    if subject := _subject(texts):
        fields["subject"] = subject
    if tags:
        fields["tags"] = dict(list(tags.items())[:MAX_TAGS])
    return fields


def text_for(hit: Hit) -> str:
    """What the field that the hit's rule fills is to say, "" for nothing."""
    text = text_of(hit.value)
    text = name_of(_written(hit.rule, text)) if text else ""
    if hit.rule.target == "billing_scope" and text not in ("org", "user"):
        return ""
    if hit.rule.target == "subject_email" and not is_email(text):
        return ""
    return text


def tags_of(hit: Hit) -> Iterator[tuple[str, str]]:
    """The tags that the hit's rule makes; of a list a tag for each entry."""
    if isinstance(hit.value, list | tuple):
        yield from _fitting(tags_of_list(hit.value))
    elif text := text_of(hit.value):
        yield from _fitting({hit.rule.tag or text_of(hit.name): _written(hit.rule, text)})


def _fitting(tags: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    # A text too long for a tag is more likely a document than a label.
    for name, value in tags.items():
        if 0 < len(name) <= MAX_TAG_NAME and len(value) <= MAX_TAG_VALUE:
            yield name, value


def _written(rule: Rule, text: str) -> str:
    return rule.becomes.replace("{value}", text) if rule.becomes else text


def _subject(texts: Mapping[str, str]) -> str | SubjectValue | None:
    key, email = texts.get("subject"), texts.get("subject_email", "")
    key = key or email
    if not key:
        return None
    email = email or (key if is_email(key) else "")
    name = texts.get("subject_name", "")
    return SubjectValue(key, email, name) if email or name else key


class _Test(NamedTuple):
    """A rule that looks at an attribute; `fits` tells by the value whether it decides."""

    place: int
    rule: Rule
    fits: Callable[[str], bool] | None


class _Ordered:
    """Rules in their order; what looks at an attribute is found out once for each name."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._called: dict[str, list[tuple[int, Rule]]] = defaultdict(list)
        self._alike: list[tuple[int, Rule, Callable[[str], bool]]] = []
        for place, rule in enumerate(rules):
            if "*" in rule.attribute:
                self._alike.append((place, rule, fits(rule.attribute)))
            else:
                self._called[rule.attribute].append((place, rule))
        self._is_alike = {
            of_record: fits(*(r.attribute for _, r, _ in self._alike if _may_look(r, of_record)))
            for of_record in (True, False)
        }
        self._known: dict[tuple[str, bool], tuple[_Test, ...]] = {}
        self._last: tuple[Attributes, list[Hit]] = {}, []

    def hits(self, told: Sequence[Attributes]) -> list[Hit]:
        record, *others = told
        found = list(islice(self._hits(0, record), _MOST_HITS))
        for source, attributes in enumerate(others, 1):
            found += (
                self._of_resource(attributes)
                if source == 1
                else islice(self._hits(source, attributes), _MOST_HITS)
            )
        found.sort()
        return found

    def _of_resource(self, attributes: Attributes) -> list[Hit]:
        # The records of a request share their resource.
        last, found = self._last
        if last is not attributes:
            found = list(islice(self._hits(1, attributes), _MOST_HITS))
            self._last = attributes, found
        return found

    def _hits(self, source: int, attributes: Attributes) -> Iterator[Hit]:
        for name, value in attributes.items():
            for test in self._tests(name, source == 0):
                if test.fits is None or test.fits(text_of(value)):
                    rule = test.rule
                    yield Hit(not rule.own, source, test.place, name, value, rule)
                    break

    def _tests(self, name: str, of_record: bool) -> tuple[_Test, ...]:
        tests = self._known.get((name, of_record))
        if tests is None:
            if len(self._known) > _REMEMBERED_NAMES:
                self._known.clear()
            tests = self._known[name, of_record] = tuple(self._looking(name, of_record))
        return tests

    def _looking(self, name: str, of_record: bool) -> Iterator[_Test]:
        if is_content(name):
            return
        alike: list[tuple[int, Rule]] = []
        # One look for all of them first: most names are like none.
        if self._is_alike[of_record](name):
            alike = [
                (place, rule)
                for place, rule, is_alike in self._alike
                if _may_look(rule, of_record) and is_alike(name)
            ]
        for place, rule in sorted([*self._called.get(name, ()), *alike], key=itemgetter(0)):
            yield _Test(place, rule, fits(rule.value) if rule.value else None)
            if not rule.value:
                return


def _may_look(rule: Rule, of_record: bool) -> bool:
    """Whether a rule with * in it may look at attributes of a record, or of its resource.

    Whatever a resource says describes the sender; a record may say anything.
    """
    return not of_record or rule.target != TAG
