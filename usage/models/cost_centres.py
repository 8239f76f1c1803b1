"""Whom usage is charged to: cost centres, and which project or team belongs to which since when."""

from django.db import models
from django.db.models import Q

from usage.models.identity import Organization, Project, Team, validate_name


class CostCentre(models.Model):
    """An account of the organization's books that usage is charged to."""

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="cost_centres"
    )
    code = models.CharField(max_length=128, validators=[validate_name])
    name = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "cost centre"
        ordering = ("organization_id", "code")
        constraints = (
            models.UniqueConstraint(fields=("organization", "code"), name="usage_cost_centre_code"),
        )

    def __str__(self) -> str:
        return f"{self.code} {self.name}".strip()


class CostCentreAssignment(models.Model):
    """A project or a team is charged to a cost centre (None: to none) from a month on.

    It holds until the next one of the same project or team, so that past months stay charged
    to whom they were charged. A project's own assignment precedes that of the team.
    """

    project = models.ForeignKey(
        Project,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="cost_centre_assignments",
    )
    team = models.ForeignKey(
        Team,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="cost_centre_assignments",
    )
    cost_centre = models.ForeignKey(
        CostCentre,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="assignments",
        help_text="Empty: charged to nobody from then on.",
    )
    from_month = models.DateField(help_text="First day of the month it holds from.")
    assigned_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "cost centre assignment"
        ordering = ("-from_month", "-id")
        constraints = (
            models.CheckConstraint(
                condition=Q(project__isnull=True) ^ Q(team__isnull=True),
                name="usage_assignment_project_or_team",
            ),
            models.CheckConstraint(
                condition=Q(from_month__day=1), name="usage_assignment_first_day"
            ),
            models.UniqueConstraint(
                fields=("project", "from_month"), name="usage_assignment_project_once"
            ),
            models.UniqueConstraint(
                fields=("team", "from_month"), name="usage_assignment_team_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.project or self.team} from {self.from_month:%Y-%m}"
