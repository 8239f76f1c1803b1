"""Changes to rules that staff ask for."""

from django.db import transaction
from django.db.models import QuerySet

from usage.mapping.current import forget
from usage.mapping.shipped import FIRST_POSITION, SHIPPED, STEP
from usage.models import AttributeRule

_FIELDS = ("position", "attribute", "value", "target", "tag", "becomes", "enabled")


def switch_rules(rules: QuerySet[AttributeRule], *, on: bool) -> list[AttributeRule]:
    """Switch rules on or off; tells those that were not so already."""
    changed = list(rules.exclude(enabled=on))
    AttributeRule.objects.filter(pk__in=[rule.pk for rule in changed]).update(enabled=on)
    forget()
    return changed


def restore_shipped() -> list[AttributeRule]:
    """Make the shipped rules what they were, missing ones too; tells those that were not.

    Rules that staff made stay.
    """
    restored = []
    with transaction.atomic():
        known = {rule.shipped: rule for rule in AttributeRule.objects.exclude(shipped="")}
        for place, wanted in enumerate(SHIPPED):
            rule = known.get(wanted.code) or AttributeRule(shipped=wanted.code)
            position = FIRST_POSITION + place * STEP
            said = (
                position, wanted.attribute, wanted.value, wanted.target, wanted.tag, "", True,
            )  # fmt: skip
            if said != tuple(getattr(rule, name) for name in _FIELDS):
                for name, value in zip(_FIELDS, said, strict=True):
                    setattr(rule, name, value)
                rule.save()
                restored.append(rule)
    forget()
    return restored
