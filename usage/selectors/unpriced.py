"""Calls that nobody knows a price for, by model, with the known model each may mean."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from pricing.directory import ModelDirectory
from pricing.models import RateCard
from pricing.selectors import live_versions
from usage.replica import reading
from usage.rerating.ratings import ADJUSTMENTS, IS_CALL, UNPRICED_IN_EFFECT
from usage.selectors.access import Viewer

CLOSEST = 0.6
"""How alike two names must be for one to be suggested for the other (difflib's own default)."""

_ROUTERS = re.compile(r"^.*/")
_REGION = re.compile(r"^(us|us-gov|eu|apac|ap|au|jp|ca|sa|global)\.")
_VENDOR = re.compile(r"^[a-z][a-z0-9-]*\.(?=[a-z])")
_SUFFIX = re.compile(
    r"([-@](20\d{2}-?(0[1-9]|1[0-2])-?([0-2]\d|3[01])|latest|preview))|(-v\d+)?(:[a-z0-9-]+)$"
)
_FROM = f"""
    FROM usage_usageevent e LEFT JOIN ({ADJUSTMENTS}) a ON a.adjusted_pk = e.id
    JOIN usage_callkind k ON k.id = e.kind_id
    WHERE {IS_CALL} AND {UNPRICED_IN_EFFECT}
"""
_GROUPS = """
    SELECT k.provider, k.model, count(*), min(e.occurred_at), max(e.occurred_at),
           count(DISTINCT e.organization_id), sum(e.input_tokens)::bigint,
           sum(e.output_tokens)::bigint {source} GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
"""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A known model with a price: provider slug and name."""

    provider: str
    model: str


@dataclass(frozen=True, slots=True)
class UnpricedGroup:
    """Unpriced calls of one provider and model, as events name them ("" = not given)."""

    provider: str
    model: str
    events: int
    first_at: datetime
    last_at: datetime
    organizations: int
    input_tokens: int
    output_tokens: int
    suggestion: Suggestion | None


def unpriced_groups(viewer: Viewer) -> list[UnpricedGroup]:
    """What waits for a price in the organizations a viewer may see, the most calls first."""
    source, parameters = _scoped(viewer)
    with reading().cursor() as cursor:
        cursor.execute(_GROUPS.format(source=source), parameters)
        rows = cursor.fetchall()
    if not rows:
        return []
    known = _known_models()
    directory = ModelDirectory()
    groups = [(*row, suggest(directory, known, row[0], row[1])) for row in rows]
    return [UnpricedGroup(*group) for group in groups]


def suggest(
    directory: ModelDirectory, known: Mapping[str, Sequence[str]], provider: str, model: str
) -> Suggestion | None:
    """The priced model whose name is nearest: of the provider if that is known, else of any."""
    slug = directory.provider(provider.strip().lower()) if provider else None
    if slug is not None and slug in known:
        found = _nearest(model, tuple(known[slug]))
        if found is not None:
            return Suggestion(slug, found)
    sellers: dict[str, str] = {}
    for seller, names in known.items():
        for name in names:
            sellers.setdefault(name, seller)
    found = _nearest(model, tuple(sellers))
    return Suggestion(sellers[found], found) if found is not None else None


def plain_name(model: str) -> str:
    """A model's name without router, region, vendor, date and version around it."""
    name = _ROUTERS.sub("", model.strip().lower())
    name = _VENDOR.sub("", _REGION.sub("", name))
    while True:
        shorter = _SUFFIX.sub("", name)
        if shorter in (name, ""):
            return name
        name = shorter


def _nearest(model: str, names: tuple[str, ...]) -> str | None:
    wanted = plain_name(model)
    plain = _plain_names(names)
    if wanted in plain:
        return plain[wanted]
    close = get_close_matches(wanted, plain, n=1, cutoff=CLOSEST)
    return plain[close[0]] if close else None


@lru_cache(maxsize=32)
def _plain_names(names: tuple[str, ...]) -> dict[str, str]:
    plain: dict[str, str] = {}
    # Of several names of one model the plainest stands for it.
    for name in sorted(names, key=lambda name: (len(name), name)):
        plain.setdefault(plain_name(name), name)
    return plain


def _known_models() -> dict[str, list[str]]:
    """Names of models with an open price for all, by provider, in the order these are tried."""
    rows = (
        live_versions()
        .filter(effective_to=None)
        .exclude(rate_card__kind=RateCard.Kind.CONTRACTED)
        .order_by("model__provider__position", "model__provider__slug", "model__name")
        .values_list("model__provider__slug", "model__name", "model__provider__position")
        .distinct()
    )
    known: dict[str, list[str]] = {}
    for slug, name, _ in rows:
        known.setdefault(slug, []).append(name)
    return known


def _scoped(viewer: Viewer) -> tuple[str, dict[str, Any]]:
    if viewer.organization_ids is None:
        return _FROM, {}
    allowed = {"organizations": list(viewer.organization_ids)}
    return f"{_FROM} AND e.organization_id = ANY(%(organizations)s::int[])", allowed
