"""Cost centres and whom projects and teams are charged to, month by month.

Months are those of the organization. What closed months were charged to stays as it was.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from usage.ingest.partitions import next_month
from usage.models import (
    ClosedMonth,
    CostCentre,
    CostCentreAssignment,
    Organization,
    Project,
    Team,
)
from usage.rerating.locks import lock_sums

_LAST_MONTH = date(2199, 12, 1)


def ensure_cost_centre(organization: Organization, code: str, name: str = "") -> CostCentre:
    """The organization's cost centre `code`, made if missing and then called `name`.

    Raises ValidationError for a bad code.
    """
    found = CostCentre.objects.filter(organization=organization, code=code).first()
    if found is not None:
        return found
    made = CostCentre(organization=organization, code=code, name=name)
    made.full_clean()
    made.save()
    return made


def assign_project(
    project: Project, cost_centre: CostCentre | None, from_month: date
) -> CostCentreAssignment:
    """Charge a project to a cost centre (None: to none) from the month that begins on
    `from_month` until the next assignment. One of the same month is replaced.

    Raises ValidationError where a closed month would be charged anew, for another organization's
    cost centre, and for a day that begins no month.
    """
    return _assign(CostCentreAssignment(project=project), cost_centre, from_month)


def assign_team(
    team: Team, cost_centre: CostCentre | None, from_month: date
) -> CostCentreAssignment:
    """Charge what a team uses, outside projects with assignments of their own, to a cost centre.

    Everything else is as in `assign_project`.
    """
    return _assign(CostCentreAssignment(team=team), cost_centre, from_month)


def withdraw_assignment(assignment: CostCentreAssignment) -> None:
    """Take an assignment back, so that the one before it goes on.

    Raises ValidationError where a closed month would be charged anew.
    """
    with _months_stay_open(assignment):
        check_assignment(assignment)
        assignment.delete()


def check_assignment(assignment: CostCentreAssignment) -> None:
    """Raise ValidationError unless the assignment, made or taken back, is allowed."""
    owner = _owner(assignment)
    month = assignment.from_month
    if month.day != 1:
        raise ValidationError({"from_month": "A month is named by its first day."})
    centre = assignment.cost_centre
    if centre is not None and centre.organization_id != owner.organization_id:
        raise ValidationError({"cost_centre": "The cost centre belongs to another organization."})
    closed = (
        ClosedMonth.objects.filter(
            organization=owner.organization_id, month__gte=month, month__lt=_end(assignment)
        )
        .order_by("-month")
        .values_list("month", flat=True)
        .first()
    )
    if closed is not None:
        raise ValidationError(
            {
                "from_month": f"{closed:%B %Y} is closed and stays charged as it was;"
                f" choose {next_month(closed):%B %Y} or a later month."
            }
        )


def _assign(
    assignment: CostCentreAssignment, cost_centre: CostCentre | None, from_month: date
) -> CostCentreAssignment:
    assignment.cost_centre, assignment.from_month = cost_centre, from_month
    with _months_stay_open(assignment):
        same = _others(assignment).filter(from_month=from_month).first()
        if same is not None and same.cost_centre == cost_centre:
            return same
        check_assignment(assignment)
        if same is not None:
            assignment = same
            assignment.cost_centre = cost_centre
        assignment.save()
    return assignment


@contextmanager
def _months_stay_open(assignment: CostCentreAssignment) -> Iterator[None]:
    """A transaction in which no month of the organization can be closed."""
    with transaction.atomic():
        lock_sums([_owner(assignment).organization_id])
        yield


def _owner(assignment: CostCentreAssignment) -> Project | Team:
    owner = assignment.project or assignment.team
    if owner is None:
        raise ValidationError("An assignment needs a project or a team.")
    return owner


def _others(assignment: CostCentreAssignment) -> QuerySet[CostCentreAssignment]:
    return CostCentreAssignment.objects.filter(
        project=assignment.project_id, team=assignment.team_id
    )


def _end(assignment: CostCentreAssignment) -> date:
    """The month from which another assignment of the same project or team holds."""
    later = _others(assignment).filter(from_month__gt=assignment.from_month)
    return later.order_by("from_month").values_list("from_month", flat=True).first() or _LAST_MONTH
