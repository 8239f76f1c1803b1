"""The order that lists of budgets have: by priority, then by what kind of thing they limit."""

from django.db.models import Case, F, IntegerField, Q, Value, When

_KINDS = (
    Q(organization=None),
    Q(api_key__isnull=False) | Q(per="api_key"),
    Q(subject__isnull=False) | Q(per="subject"),
    Q(team__isnull=False) | Q(per="team"),
    Q(project__isnull=False) | Q(per="project"),
)
_RANKS = (0, 5, 4, 2, 3)
"""Site, then organizations (1), teams, projects, people, API keys."""

SCOPE_TYPE = Case(
    *(When(kind, then=Value(rank)) for kind, rank in zip(_KINDS, _RANKS, strict=True)),
    default=Value(1),
    output_field=IntegerField(),
)
LIST_ORDER = (
    F("priority").asc(),
    SCOPE_TYPE.asc(),
    F("organization__slug").asc(nulls_first=True),
    F("project__slug").asc(nulls_first=True),
    F("period").asc(),
    F("name").asc(),
    F("pk").asc(),
)
"""By priority, then scope type, then by name."""
