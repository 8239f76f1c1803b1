"""Query parameters that several operations share."""

from collections.abc import Iterable

from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from usage.api.parameters import MAX_PAGE
from usage.api.schema.components import Schema, schema_of
from usage.ingest.values import Name
from usage.selectors.dimensions import DIMENSIONS

_WHOLE = {"type": "integer", "minimum": 1}
_NAMES = {"type": "array", "items": {"type": "string"}}
_BOUND = {"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]}


def parameter(
    name: str, schema: Schema, description: str, *, required: bool = False, example: object = None
) -> OpenApiParameter:
    """A query parameter; `example` is what Swagger UI shows in its field."""
    examples = [] if example is None else [OpenApiExample(name, value=example)]
    return OpenApiParameter(
        name, schema, OpenApiParameter.QUERY, required, description, examples=examples
    )


def words(name: str, allowed: Iterable[str], default: str, description: str) -> OpenApiParameter:
    """A parameter that is one of some words."""
    schema = {"type": "string", "enum": list(allowed), "default": default}
    return parameter(name, schema, description)


def path_word(name: str, description: str, schema: Schema | None = None) -> OpenApiParameter:
    """A part of the path, by default a name as events give it."""
    return OpenApiParameter(
        name, schema or schema_of(Name), OpenApiParameter.PATH, True, description
    )


def limit(default: int = MAX_PAGE, most: int = MAX_PAGE) -> OpenApiParameter:
    """How many results a page has."""
    return parameter(
        "limit", _WHOLE | {"maximum": most, "default": default}, "The most results of a page."
    )


FROM = parameter(
    "from", _BOUND, "Start, inclusive: a day of `timezone`, or a time with offset.",
    example="2026-11-01",
)  # fmt: skip
TO = parameter("to", _BOUND, "End, exclusive: as `from`.", example="2026-12-01")
TIMEZONE = parameter(
    "timezone", {"type": "string"},
    "IANA zone of days; by default that of the only organization in question, else the site's.",
    example="Europe/Berlin",
)  # fmt: skip
CURRENCY = parameter(
    "currency",
    {"type": "string", "pattern": "^([A-Za-z]{3})?$"},
    "What costs are shown in, such as EUR, by the rate of each day; by default the ledger's.",
)
CURSOR = parameter("cursor", {"type": "string"}, "Where a page starts: from `next` of another.")
ORGANIZATION = parameter(
    "organization", {"type": "string"}, "Slug; where several organizations have what is asked."
)
PERIOD = [FROM, TO, TIMEZONE]

TAG = OpenApiParameter(
    "tag:NAME", _NAMES, OpenApiParameter.QUERY, explode=True,
    description="Only events whose tag called NAME has this value; likewise repeatable.",
)  # fmt: skip
FILTERS = [
    OpenApiParameter(
        name, _NAMES, OpenApiParameter.QUERY, explode=True,
        description=f"Only this {name.replace('_', ' ')}; may be repeated, empty = not given.",
    )
    for name in DIMENSIONS
] + [TAG]  # fmt: skip
"""The dimensions of usage as filters."""
