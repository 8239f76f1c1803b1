"""Who spends: organizations, their projects, teams, subjects and staff members."""

import zoneinfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

validate_slug = RegexValidator(
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z",
    "Use up to 128 letters, digits and . _ -, starting with a letter or digit.",
)
validate_name = RegexValidator(
    r"^[^\x00-\x1f\x7f]{1,128}\Z", "Use 1 to 128 characters, no control characters."
)


def validate_time_zone(value: str) -> None:
    """Raise ValidationError unless `value` names a zone of the IANA database.

    A machine's own `localtime` is none: the database would not know it.
    """
    if value == "localtime" or value not in zoneinfo.available_timezones():
        raise ValidationError("%(value)s is not an IANA time zone.", params={"value": value})


class Organization(models.Model):
    """A tenant. Everything else belongs to exactly one; identities are archived, never deleted."""

    class SubjectPolicy(models.TextChoices):
        ANYONE = "anyone", "Anyone: subjects are created on first sight"
        KNOWN = "known", "Known only: events of unknown subjects are rejected"

    class WeekDay(models.IntegerChoices):
        MONDAY = 1, "Monday"
        TUESDAY = 2, "Tuesday"
        WEDNESDAY = 3, "Wednesday"
        THURSDAY = 4, "Thursday"
        FRIDAY = 5, "Friday"
        SATURDAY = 6, "Saturday"
        SUNDAY = 7, "Sunday"

    slug = models.CharField(max_length=128, unique=True, validators=[validate_slug])
    name = models.CharField(max_length=200, blank=True)
    time_zone = models.CharField(
        max_length=64,
        default="UTC",
        validators=[validate_time_zone],
        help_text="Days, weeks and months of this organization begin at midnight here.",
    )
    week_start = models.PositiveSmallIntegerField(
        choices=WeekDay.choices,
        default=WeekDay.MONDAY,
        help_text="The day on which weekly budgets begin.",
    )
    subject_policy = models.CharField(
        max_length=8, choices=SubjectPolicy.choices, default=SubjectPolicy.ANYONE
    )
    rate_card = models.ForeignKey(
        "pricing.RateCard",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Contracted prices; they win over every other price.",
    )
    rating_needs_approval = models.BooleanField(
        "re-rating needs a second person",
        default=False,
        help_text="Whoever asks for a re-rating cannot apply it alone.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("slug",)
        permissions = (("view_all_organizations", "Can see every organization"),)

    def __str__(self) -> str:
        return self.name or self.slug


class Team(models.Model):
    """A group of subjects or projects inside an organization."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="teams")
    slug = models.CharField(max_length=128, validators=[validate_name])
    name = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("organization_id", "slug")
        constraints = (
            models.UniqueConstraint(fields=("organization", "slug"), name="usage_team_slug"),
        )

    def __str__(self) -> str:
        return self.name or self.slug


class Project(models.Model):
    """A repository or product that AI calls are made for."""

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="projects"
    )
    slug = models.CharField(max_length=128, validators=[validate_name])
    name = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("organization_id", "slug")
        constraints = (
            models.UniqueConstraint(fields=("organization", "slug"), name="usage_project_slug"),
        )

    def __str__(self) -> str:
        return self.name or self.slug


class Subject(models.Model):
    """The person or service that triggered a call."""

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="subjects"
    )
    key = models.CharField(max_length=128, validators=[validate_name])
    email = models.EmailField(blank=True, default="")
    display_name = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("organization_id", "key")
        constraints = (
            models.UniqueConstraint(fields=("organization", "key"), name="usage_subject_key"),
        )

    def __str__(self) -> str:
        return self.display_name or self.key


class Membership(models.Model):
    """A staff user's right to see (viewer) or also to change (admin) one organization."""

    class Role(models.TextChoices):
        VIEWER = "viewer", "Viewer: sees everything of the organization"
        ADMIN = "admin", "Administrator: may also change it"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(max_length=8, choices=Role.choices, default=Role.VIEWER)

    class Meta:
        verbose_name = "member"
        ordering = ("organization_id", "user_id")
        constraints = (
            models.UniqueConstraint(fields=("user", "organization"), name="usage_membership_once"),
        )

    def __str__(self) -> str:
        return f"{self.user} in {self.organization}"
