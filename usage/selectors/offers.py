"""Re-ratings that wait for somebody's decision."""

from usage.models import RatingRun
from usage.selectors.access import Viewer
from usage.selectors.overview import visible


def offered_runs(viewer: Viewer) -> int:
    """How many dry runs that the site made because prices changed a viewer may see."""
    runs = RatingRun.objects.filter(cause=RatingRun.Cause.OFFERED, status=RatingRun.Status.PLANNED)
    return visible(runs, viewer).count()
