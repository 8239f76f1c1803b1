"""`manage.py cost`: spend, trends, quotas and advice on the command line."""

from usage.management.cost.live import Live
from usage.management.cost.looking import Looking
from usage.management.cost.reporting import Reporting

EXAMPLES = """\b
examples:
  manage.py cost report --this-month
  manage.py cost top --sessions --limit 5
Each command has its own: manage.py cost report --help
"""


class Command(Live, Looking, Reporting, rich_markup_mode=None, epilog=EXAMPLES):
    """What AI calls cost: reports, trends, comparisons, quotas, forecasts and advice."""
