"""`manage.py cost`: spend, trends, quotas and advice on the command line."""

from usage.management.cost.live import Live
from usage.management.cost.looking import Looking
from usage.management.cost.reporting import Reporting


class Command(Live, Looking, Reporting, rich_markup_mode=None):
    """What AI calls cost: reports, trends, comparisons, quotas, forecasts and advice."""
