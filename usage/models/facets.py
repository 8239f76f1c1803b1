"""Narrow sums beside the full ones: by one dimension alone, or by none at all.

They answer most questions from a small part of the rows, and are recomputed together with the
levels they are sums of: HourlyFacet (UTC) of the 15-minute sums, DailyFacet of days, MonthlyFacet
of DailyFacet.
"""

from typing import ClassVar

from django.db import models

from usage.models.identity import Organization
from usage.models.rollups import Sums


class Facet(Sums):
    """Usage of the member `member_id` (NULL: not given) of the dimension `facet`."""

    class Of(models.IntegerChoices):
        """The dimension."""

        WHOLE = 0
        PROJECT = 1
        TEAM = 2
        SUBJECT = 3
        KIND = 4

    COLUMNS: ClassVar[dict[str, Of]] = {
        "project_id": Of.PROJECT,
        "team_id": Of.TEAM,
        "subject_id": Of.SUBJECT,
        "kind_id": Of.KIND,
    }

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(
        Organization,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    facet = models.SmallIntegerField(choices=Of)
    member_id = models.IntegerField(null=True)

    class Meta:
        abstract = True


def _keys(when: str, name: str) -> tuple[tuple[models.UniqueConstraint], tuple[models.Index]]:
    """Rows of a period lie together, and so do those of a member."""
    once = models.UniqueConstraint(
        fields=("organization", "facet", when, "member_id"),
        name=f"usage_{name}_once",
        nulls_distinct=False,
    )
    member = models.Index(
        fields=("organization", "facet", "member_id", when), name=f"usage_{name}_member"
    )
    return (once,), (member,)


class HourlyFacet(Facet):
    """Narrow sums of one hour of UTC; not by subject, which would hardly be fewer rows."""

    COLUMNS: ClassVar[dict[str, Facet.Of]] = {
        name: of for name, of in Facet.COLUMNS.items() if of is not Facet.Of.SUBJECT
    }

    hour = models.DateTimeField()

    class Meta:
        constraints, indexes = _keys("hour", "hourly_facet")

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H} UTC"


class DailyFacet(Facet):
    """Narrow sums of one day in the organization's time zone."""

    day = models.DateField()

    class Meta:
        constraints, indexes = _keys("day", "daily_facet")

    def __str__(self) -> str:
        return self.day.isoformat()


class MonthlyFacet(Facet):
    """Narrow sums of one calendar month in the organization's time zone."""

    month = models.DateField()

    class Meta:
        constraints, indexes = _keys("month", "monthly_facet")

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"
