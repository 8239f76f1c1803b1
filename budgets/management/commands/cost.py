"""`manage.py cost`: spend and budgets on the command line."""

from budgets.management.cost.alerting import Alerting
from budgets.management.cost.standing import Standing
from budgets.management.cost.starting import Starting
from usage.management.commands.cost import EXAMPLES
from usage.management.commands.cost import Command as UsageCommand


class Command(Alerting, Starting, Standing, UsageCommand, rich_markup_mode=None, epilog=EXAMPLES):
    """What AI calls cost, and may cost: reports, trends, budgets, alerts, quotas, forecasts and
    advice."""
