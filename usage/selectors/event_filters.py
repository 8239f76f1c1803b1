"""Filters of stored events: one declared set for lists, exports and the interface's document."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import reduce
from operator import and_
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import F, Func, Model, Q, QuerySet, TextField, Value
from django.utils.datastructures import MultiValueDict
from django_filters import Filter, FilterSet
from django_filters.constants import EMPTY_VALUES
from drf_spectacular.drainage import set_override

from usage.ingest.claims import find_claims
from usage.ingest.prepare import digest_of
from usage.models import APIKey, CallKind, Project, Subject, Team, UsageEvent
from usage.models.keys import KEY_MARK
from usage.selectors.dimensions import DIMENSIONS, Dimension, find_dimension
from usage.selectors.event_hours import Named, Search
from usage.selectors.questions import QuestionError

STATUSES = tuple(status.label for status in UsageEvent.Status)
STATES = tuple(state.label for state in UsageEvent.State)
MAX_IDS = 100
_COMMON = {
    "status": UsageEvent.Status.SUCCESS.label, "state": UsageEvent.State.COUNTED.label,
}  # fmt: skip
_TRUTH = {"true": True, "1": True, "false": False, "0": False}
_MONEY = {"max_digits": 20, "decimal_places": 10, "min_value": Decimal(0)}

_TARGETS: dict[str, type[Model]] = {
    model._meta.db_table: model for model in (APIKey, CallKind, Project, Subject, Team)
}

Events = QuerySet[UsageEvent]


class WordsField(forms.Field):
    """Every value of a parameter that may be repeated, as they are; `allowed` if not empty."""

    widget = forms.SelectMultiple

    def __init__(self, *, allowed: Collection[str] = (), most: int = 0, **options: Any) -> None:
        super().__init__(**options)
        self.allowed, self.most = allowed, most

    def to_python(self, value: Sequence[str] | None) -> list[str]:
        """The words. Raises ValidationError."""
        words = list(value or ())
        if any("\0" in word for word in words):
            raise ValidationError("A value cannot hold a NUL character.", code="invalid")
        if self.most and len(words) > self.most:
            raise ValidationError(f"At most {self.most} values are asked for.", code="too_many")
        if not self.allowed:
            return words
        words = [word for word in words if word]
        for word in words:
            if word not in self.allowed:
                message = f"{word!r} is none of {', '.join(self.allowed)}."
                raise ValidationError(message, code="unknown")
        return words


class EventFilter(Filter):  # type: ignore[misc]  # the library has no types
    """A filter of this set; `schema` and `help_text` document it."""

    parent: "EventFilters"

    def __init__(self, schema: Mapping[str, object], help_text: str, **options: Any) -> None:
        super().__init__(help_text=help_text, **options)
        set_override(self, "field", {**schema, "description": help_text})


class WordsFilter(EventFilter):
    """Events that have one of some words; subclasses say where."""

    field_class = WordsField

    def __init__(self, help_text: str, **options: Any) -> None:
        items: dict[str, object] = {"type": "string"}
        if "allowed" in options:
            items |= {"enum": list(options["allowed"])}
        super().__init__({"type": "array", "items": items}, help_text, **options)

    def filter(self, events: Events, words: Sequence[str]) -> Events:
        """The events that pass; all of them if there are no words."""
        return events.filter(self.passing(words)) if words else events

    def passing(self, words: Sequence[str]) -> Q:
        """The condition of a plain column."""
        return Q(**{f"{self.field_name}__in": words})


class DimensionFilter(WordsFilter):
    """Events by a dimension of usage; an empty word is "not given"."""

    def __init__(self, dimension: Dimension) -> None:
        about = dimension.name.replace("_", " ")
        super().__init__(f"Only this {about}; may be repeated, empty = not given.")
        self.dimension = dimension

    def filter(self, events: Events, _words: Sequence[str]) -> Events:
        """All of them: where the named ones lie is looked up by `EventFilters.named`."""
        return events

    def named(self, words: Sequence[str]) -> Named:
        """The column's values, or the ids of what it points at in the organizations in scope."""
        dimension = self.dimension
        values: Sequence[Any] = [*words]
        if dimension.table:
            names: dict[str, Any] = {f"{dimension.value}__in": words}
            if dimension.name == "api_key":
                names = {"prefix__in": [word.removeprefix(KEY_MARK) for word in words]}
            if dimension.owned:
                names["organization__in"] = self.parent.scope
            target = _TARGETS[dimension.table]
            values = [*target._default_manager.filter(**names).values_list("pk", flat=True)]
        return Named(dimension.column, values, "" in words)


class TagFilter(WordsFilter):
    """Events by one of their tags; an empty word is "not given"."""

    def __init__(self, tag: str) -> None:
        super().__init__("Only events whose tag called NAME has this value; likewise repeatable.")
        self.tag = tag

    def filter(self, events: Events, words: Sequence[str]) -> Events:
        """The events whose tag has one of these values."""
        if not words:
            return events
        # Django's own transform takes a tag called 1 for the place in an array.
        tag = Func(
            F("tags"), Value(self.tag), template="(%(expressions)s)", arg_joiner=" ->> ",
            output_field=TextField(),
        )  # fmt: skip
        name = f"tag_{len(events.query.annotations)}"
        passing = Q(**{f"{name}__in": words})
        if "" in words:
            passing |= Q(**{f"{name}__isnull": True})
        return events.alias(**{name: tag}).filter(passing)


class LabelFilter(WordsFilter):
    """Events by a column that keeps the number of a word."""

    def passing(self, words: Sequence[str]) -> Q:
        """The condition on the numbers."""
        allowed = list(self.extra["allowed"])
        return Q(**{f"{self.field_name}__in": [allowed.index(word) for word in words]})


class IdFilter(WordsFilter):
    """Events by their ids, found where their claims say they lie."""

    def passing(self, words: Sequence[str]) -> Q:
        """The condition on id and time."""
        digests = [digest_of(pk, word) for pk in self.parent.scope for word in words]
        times = {claim.occurred_at for claim in find_claims(digests).values()}
        return Q(event_id__in=words, occurred_at__in=times)


def _check_truth(word: str) -> None:
    if word not in _TRUTH:
        raise ValidationError(f"{word!r} is none of {', '.join(_TRUTH)}.", code="unknown")


class TruthFilter(EventFilter):
    """Events of which something is so, or is not."""

    field_class = forms.CharField

    def __init__(self, help_text: str, **options: Any) -> None:
        super().__init__({"type": "boolean"}, help_text, validators=[_check_truth], **options)

    def filter(self, events: Events, word: str) -> Events:
        """The events that pass; all of them if nothing was said."""
        return events.filter(**{self.field_name: _TRUTH[word]}) if word else events


class CostFilter(EventFilter):
    """Events that cost at least, or at most, so much."""

    field_class = forms.DecimalField

    def __init__(self, help_text: str, **options: Any) -> None:
        super().__init__({"type": "number", "minimum": 0}, help_text, **_MONEY, **options)


def _is_indexed(name: str, value: Any) -> bool:
    """Whether a fact is so rare that what has it is kept in an index."""
    common = _COMMON.get(name)
    return _TRUTH[value] if name == "unpriced" else bool(common) and common not in value


def _sums_of(name: str, value: Any) -> Q:
    """What is so of all sums that hold an event of which a fact is so."""
    if name == "status" and value == [UsageEvent.Status.ERROR.label]:
        return Q(errors__gt=0)
    return Q(unpriced_events__gt=0) if name == "unpriced" and _TRUTH[value] else Q()


class EventFilters(FilterSet):  # type: ignore[misc]  # the library has no types
    """All filters of events but time and organization, which scoping settles; `scope` are the
    ids of the organizations in question."""

    class Meta:
        model = UsageEvent
        fields: tuple[str, ...] = ()

    base_filters: dict[str, Any]

    status = LabelFilter("Only this status; may be repeated.", allowed=STATUSES)
    state = LabelFilter("Only this state; may be repeated.", allowed=STATES)
    estimated = TruthFilter("Whether counts were estimated from the length of texts.")
    unpriced = TruthFilter("Whether nobody knows its cost.", field_name="cost__isnull")
    min_cost = CostFilter(
        "At least this cost, in the ledger currency.", field_name="cost", lookup_expr="gte"
    )
    max_cost = CostFilter(
        "At most this cost, in the ledger currency.", field_name="cost", lookup_expr="lte"
    )
    event_id = IdFilter(f"Only this id; may be repeated up to {MAX_IDS} times.", most=MAX_IDS)

    def __init__(
        self, data: Mapping[str, Collection[str]], events: Events, scope: list[int]
    ) -> None:
        # What is not asked for would be copied, and make a form, for nothing.
        self.base_filters = {name: self._named(name) for name in data}
        super().__init__(
            MultiValueDict({name: list(words) for name, words in data.items()}), events
        )
        self.scope = scope

    @classmethod
    def get_filters(cls) -> dict[str, Filter]:
        """Those declared here and one for each dimension."""
        dimensions = {name: DimensionFilter(found) for name, found in DIMENSIONS.items()}
        return {**dimensions, **super().get_filters()}

    def narrow(self, search: Search) -> Search:
        """A search for only what passes every filter. Raises QuestionError."""
        for name, faults in self.errors.as_data().items():
            (message,) = faults[0].messages[:1]
            raise QuestionError(name, faults[0].code or "invalid", message)
        given = {
            name: value
            for name, value in self.form.cleaned_data.items()
            if value not in EMPTY_VALUES
        }
        named = [
            each.named(given[name])
            for name, each in self.filters.items()
            if name in given and isinstance(each, DimensionFilter)
        ]
        facts = set(given) - set(DIMENSIONS)
        return replace(
            search,
            named=named,
            facts=self.qs if facts else None,
            summed=reduce(and_, (_sums_of(name, given[name]) for name in facts), Q()),
            indexed=any(_is_indexed(name, given[name]) for name in facts),
        )

    def _named(self, name: str) -> Filter:
        return type(self).base_filters.get(name) or TagFilter(find_dimension(name, name).tag)


FACTS = {
    name: isinstance(each, WordsFilter)
    for name, each in EventFilters.base_filters.items()
    if name not in DIMENSIONS
}
"""Filters that tell of the event itself, which sums do not know, and whether each may be
repeated."""
