"""`cost budget`: what may be spent."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from django.core.exceptions import ValidationError
from django_typer.management import group
from typer import Context, Option

from budgets.listing import budgets_document
from budgets.management.cost.options import LimitOptions, MeasureOptions, PeriodFlags, TargetOptions
from budgets.models import Budget
from budgets.plain import Plain, remove_plain, set_plain
from budgets.selectors.states import BudgetState, read_states
from budgets.setting import Actor
from budgets.targets import UnknownTargetError, find_target
from usage.management.cost.base import CostCommand
from usage.management.cost.options import Format, FormatOption, ScopeOptions
from usage.management.option_groups import grouped_options
from usage.reports.scope import Scope

ACTOR = Actor(name="manage.py cost budget")
BUDGET = """\b
examples:
  manage.py cost budget --monthly 200
  manage.py cost budget set --daily 20 --project web --hard
  manage.py cost budget list
"""
SET = """\b
examples:
  manage.py cost budget set --daily 20 --monthly 200
  manage.py cost budget set --monthly 1000000 --tokens --project web --organization acme --hard
"""
LIST = "\b\nexample:\n  manage.py cost budget list --organization acme --format json"
REMOVE = "\b\nexample:\n  manage.py cost budget remove --monthly --project web"
Hard = Annotated[
    bool | None, Option("--hard/--soft", help="block what does not fit, or only warn (default)")
]


class Budgeting(CostCommand):
    """Setting budgets, and how they stand."""

    @contextmanager
    def told(self) -> Iterator[None]:
        """End in one line also for what cannot be limited so."""
        with super().told():
            try:
                yield
            except UnknownTargetError as error:
                self.refuse(str(error), returncode=1)
            except ValidationError as error:
                self.refuse(" ".join(error.messages), returncode=1)

    @group(invoke_without_command=True, epilog=BUDGET)
    @grouped_options
    def budget(
        self,
        context: Context,
        limits: LimitOptions,
        target: TargetOptions,
        measured: MeasureOptions,
        hard: Hard = None,
    ) -> None:
        """What may be spent: with limits as `set`, without as `list`."""
        if context.invoked_subcommand:
            if limits.given:
                self.refuse("give limits after the subcommand, such as: budget set --monthly 200")
        elif limits.given:
            self._set(limits, target, measured, hard=hard)
        else:
            self._list(ScopeOptions([target.organization] if target.organization else []))

    @budget.command(name="set", epilog=SET)
    @grouped_options
    def budget_set(
        self,
        limits: LimitOptions,
        target: TargetOptions,
        measured: MeasureOptions,
        hard: Hard = None,
    ) -> None:
        """Set limits of all that an organization, or one project, uses.

        Amounts are in the ledger currency; 0 allows nothing. What is not given stays as it is.
        """
        if not limits.given:
            self.refuse("give a limit, such as --monthly 200")
        self._set(limits, target, measured, hard=hard)

    @budget.command(name="list", epilog=LIST)
    @grouped_options
    def budget_list(self, whose: ScopeOptions, output: FormatOption = Format.TABLE) -> None:
        """How all budgets stand, the most used first."""
        self._list(whose, output)

    @budget.command(name="remove", epilog=REMOVE)
    @grouped_options
    def budget_remove(
        self,
        target: TargetOptions,
        measured: MeasureOptions,
        periods: PeriodFlags,
    ) -> None:
        """Switch budgets off; what they have counted stays as history."""
        if not periods.chosen:
            self.refuse("say which budget to remove, such as --monthly")
        with self.told():
            found = find_target(target.organization, target.project)
            for period in periods.chosen:
                told = remove_plain(Plain(found, period, self.measure_of(measured)), ACTOR)
                if not told:
                    adverb = Budget.ADVERBS[period]
                    self.refuse(f"{_name(found)} has no {adverb} budget", returncode=1)
                self.say(f"{told}\n")

    def _set(
        self,
        limits: LimitOptions,
        target: TargetOptions,
        measured: MeasureOptions,
        *,
        hard: bool | None,
    ) -> None:
        measure = self.measure_of(measured)
        enforcement = ""
        if hard is not None:
            enforcement = Budget.Enforcement.HARD if hard else Budget.Enforcement.SOFT
        with self.told():
            found = find_target(target.organization, target.project)
            for period, limit in limits.given.items():
                plain = Plain(found, period, measure)
                told = set_plain(plain, limit, ACTOR, enforcement=enforcement)
                self.say(f"{told.text}\n")

    def measure_of(self, measured: MeasureOptions) -> str:
        """The measure chosen; exit 2 where two are."""
        if measured.tokens and measured.requests:
            self.refuse("--tokens and --requests cannot be given together")
        return measured.measure

    def _list(self, whose: ScopeOptions, output: Format = Format.TABLE) -> None:
        with self.told():
            scope = whose.scope()
            document = budgets_document(read_all_states(scope), scope)
            self.print_document(document, output, scope.time_zone)


def read_all_states(scope: Scope) -> list[BudgetState]:
    """How all budgets of a scope stand, of each organization the most used first."""
    return [
        state
        for slug in scope.organizations or (None,)
        for state in read_states(scope.viewer, scope.now, organization=slug)
    ]


def _name(target: tuple[object, object]) -> str:
    return " / ".join(str(part) for part in target if part is not None)
