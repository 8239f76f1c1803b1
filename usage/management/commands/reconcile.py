"""`manage.py reconcile`: a provider's bill against what was recorded."""

from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated

from django.utils import timezone
from django_typer.management import command
from rich.table import Table
from typer import Argument, Option

from usage.management.typed import TypedCommand
from usage.models import BillSource, Reconciliation
from usage.models.reconciliations import CLASSES
from usage.reconciling.describing import DESCRIPTIONS
from usage.reconciling.working import allowance, reconcile_month, tolerance_of
from usage.selectors.reconciliations import groups_of

EPILOG = """\b
examples:
  manage.py reconcile Anthropic --month 2026-10
  manage.py reconcile Anthropic --organization acme --tolerance-percent 2 || echo look
"""
_GOOD = (Reconciliation.State.WITHIN, Reconciliation.State.SIGNED)
_MOST = 10**9


class Command(TypedCommand, rich_markup_mode=None):
    """Compare a provider's bill with what was recorded, by model and class of difference."""

    @command(epilog=EPILOG)
    def handle(
        self,
        source: Annotated[str, Argument(help="name of the provider bill")],
        month: Annotated[
            str, Option("--month", metavar="YYYY-MM", help="UTC month; else the last that ended")
        ] = "",
        organization: Annotated[
            str, Option("--organization", metavar="SLUG", help="where several have such a bill")
        ] = "",
        percent: Annotated[
            str, Option("--tolerance-percent", metavar="P", help="of what is billed")
        ] = "",
        amount: Annotated[
            str, Option("--tolerance-amount", metavar="A", help="in the ledger currency")
        ] = "",
    ) -> None:
        """Exit 0 within tolerance or signed off, else 1, also while days are not billed yet."""
        found = self._find(source, organization)
        tolerance = tolerance_of(found, self._number(percent, 100), self._number(amount, _MOST))
        row = reconcile_month(found, self._month(month), tolerance=tolerance)
        self.show(_table(row), *row.left_out)
        if row.state not in _GOOD:
            allowed = f"{allowance(row):,.2f} {row.currency} allowed"
            self.refuse(f"{row.get_state_display().lower()}; {allowed}", returncode=1)

    def _find(self, name: str, organization: str) -> BillSource:
        sources = BillSource.objects.filter(name=name).select_related("organization")
        if organization:
            sources = sources.filter(organization__slug=organization)
        found = list(sources[:2])
        if not found:
            self.refuse(f"there is no provider bill {name!r}")
        if len(found) > 1:
            self.refuse(f"several organizations have a bill {name!r}: say --organization")
        return found[0]

    def _month(self, text: str) -> date:
        if not text:
            return timezone.now().date().replace(day=1) - timedelta(days=1)
        try:
            return date.fromisoformat(f"{text}-01")
        except ValueError:
            self.refuse(f"{text!r} is not a month such as 2026-10")

    def _number(self, text: str, most: int) -> Decimal | None:
        if not text:
            return None
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal("nan")
        if not number.is_finite() or not 0 <= number <= most:
            self.refuse(f"{text!r} is not a number from 0 to {most}")
        return number


def _table(row: Reconciliation) -> Table:
    table = Table("", title=f"{row}, {row.currency}, {row.get_state_display().lower()}")
    for name in ("billed", "recorded", "gap"):
        table.add_column(name, justify="right")
    for group in groups_of(row, "model"):
        sides = (group.billed, group.recorded, group.gap)
        table.add_row(str(group.name or "no model"), *(f"{amount:,f}" for amount in sides))
    table.add_section()
    for name in CLASSES:
        table.add_row(DESCRIPTIONS[name].label.lower(), "", "", f"{getattr(row, name):,f}")
    table.add_section()
    table.add_row("total", *(f"{amount:,f}" for amount in (row.billed, row.recorded, row.gap)))
    return table
