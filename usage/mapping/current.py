"""The rules in force, as each process remembers them for a few seconds."""

from collections import defaultdict
from time import monotonic

from usage.mapping.book import Rule, RuleBook
from usage.models import AttributeRule

KEPT_SECONDS = 5.0
_remembered: tuple[float, RuleBook] | None = None


def rule_book() -> RuleBook:
    """The rules in force; what staff change is in it after at most `KEPT_SECONDS`."""
    global _remembered  # noqa: PLW0603 - one book per process, replaced as a whole
    now = monotonic()
    if _remembered is None or now - _remembered[0] > KEPT_SECONDS:
        _remembered = now, read_rules()
    return _remembered[1]


def forget() -> None:
    """Read the rules anew when they are next asked for."""
    global _remembered  # noqa: PLW0603 - as above
    _remembered = None


def read_rules() -> RuleBook:
    """The rules that are on now."""
    site: list[Rule] = []
    own: dict[str, list[Rule]] = defaultdict(list)
    rows = AttributeRule.objects.filter(enabled=True).order_by("position", "pk")
    for row in rows.select_related("organization"):
        owner = row.organization
        rule = Rule(
            row.attribute, row.target, row.value, row.tag, row.becomes, owner is not None, row.pk
        )
        (site if owner is None else own[owner.slug]).append(rule)
    return RuleBook(site, own)
