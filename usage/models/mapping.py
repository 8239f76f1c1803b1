"""Rules by which attributes that telemetry carries become fields of events."""

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from usage.models.events import NAME_LENGTH
from usage.models.identity import Organization

OWN_POSITION = 500
"""Where a rule stands unless told otherwise: before all that are shipped."""
_printable = RegexValidator(r"^[^\x00-\x1f\x7f]*\Z", "Control characters cannot stand here.")


class AttributeRule(models.Model):
    """What an attribute becomes: of an organization's records, or of everybody's (NULL).

    `attribute` and `value` may hold `*`; an empty `value` is any. `shipped` names a rule that
    comes with the product, so that it can be put back; it is empty for all others.
    """

    class Target(models.TextChoices):
        ORGANIZATION = "organization", "organization"
        PROJECT = "project", "project"
        TEAM = "team", "team"
        SUBJECT = "subject", "person (key)"
        SUBJECT_EMAIL = "subject_email", "person's e-mail address"
        SUBJECT_NAME = "subject_name", "person's name"
        SESSION = "session_id", "session"
        RUN = "run_id", "run"
        RUN_TRIGGER = "run_trigger", "run trigger"
        ACTION = "action", "action"
        AGENT_TYPE = "agent_type", "agent type"
        BILLING_SCOPE = "billing_scope", "billing scope (org or user)"
        TAG = "tag", "tag"
        IGNORE = "ignore", "nothing: leave it out"

    organization = models.ForeignKey(
        Organization,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="attribute_rules",
        help_text="Empty: for every organization. An organization's own rules come first.",
    )
    position = models.PositiveIntegerField(
        default=OWN_POSITION,
        help_text="Lower comes first; the first rule that fits an attribute decides about it.",
    )
    attribute = models.CharField(
        max_length=NAME_LENGTH,
        validators=[_printable],
        help_text="The attribute's name; * stands for anything, as in host.*",
    )
    value = models.CharField(
        "if the value is",
        max_length=256,
        blank=True,
        validators=[_printable],
        help_text="Empty: whatever it is. * stands for anything, as in unknown_service*",
    )
    target = models.CharField("what it becomes", max_length=16, choices=Target.choices)
    tag = models.CharField(
        "tag's name",
        max_length=64,
        blank=True,
        validators=[_printable],
        help_text="For tags; empty: as the attribute is called.",
    )
    becomes = models.CharField(
        "written as",
        max_length=256,
        blank=True,
        validators=[_printable],
        help_text="Empty: the value itself. {value} stands for it, as in team-{value}",
    )
    enabled = models.BooleanField("switched on", default=True)
    shipped = models.CharField(max_length=NAME_LENGTH, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "attribute rule"
        ordering = ("organization_id", "position", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("shipped",), name="usage_shipped_rule_once", condition=~Q(shipped="")
            ),
        )

    def __str__(self) -> str:
        return f"{self.attribute} → {self.tag or self.get_target_display()}"

    def clean(self) -> None:
        """Refuse, with the field, what could never have an effect."""
        if self.target == self.Target.ORGANIZATION and self.organization_id is not None:
            raise ValidationError(
                {"target": "Only a rule for every organization can choose the organization."}
            )
        if self.tag and self.target != self.Target.TAG:
            raise ValidationError({"tag": "Only a tag has a name of its own."})
