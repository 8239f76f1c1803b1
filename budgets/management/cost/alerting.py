"""`cost alert`: from where on budgets warn, and who is told."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django_typer.management import group
from typer import Context

from budgets.alerts.listing import alerts_document
from budgets.channels.defaults import add_target, remove_target
from budgets.management.cost.alert_options import LevelOptions, ReachOptions
from budgets.management.cost.budgeting import Budgeting, read_all_states
from budgets.management.cost.options import MeasureOptions, PeriodFlags, TargetOptions
from budgets.models import Budget
from budgets.plain import Plain, plain_budgets, warn_from, warn_no_more
from budgets.selectors.alerts import live_alerts
from budgets.selectors.channels import seen_channels
from budgets.setting import Actor, Level
from budgets.targets import Target, find_target
from usage.management.cost.options import Format, FormatOption, ScopeOptions
from usage.management.option_groups import grouped_options

ACTOR = Actor(name="manage.py cost alert")
_Outcome = TypeVar("_Outcome")
ALERT = """\b
examples:
  manage.py cost alert --threshold 80%
  manage.py cost alert set --amount 150 --email ops@example.org
  manage.py cost alert list
"""
SET = """\b
examples:
  manage.py cost alert set --threshold 50% --threshold 80% --project web
  manage.py cost alert set --amount 150 --webhook https://hooks.example.org/in --organization acme
"""
LIST = "\b\nexample:\n  manage.py cost alert list --organization acme --format json"
REMOVE = "\b\nexample:\n  manage.py cost alert remove --threshold 50% --email ops@example.org"


class Alerting(Budgeting):
    """Setting thresholds and channels, and what is wrong now."""

    @group(invoke_without_command=True, epilog=ALERT)
    @grouped_options
    def alert(
        self,
        context: Context,
        levels: LevelOptions,
        reach: ReachOptions,
        target: TargetOptions,
        measured: MeasureOptions,
        periods: PeriodFlags,
    ) -> None:
        """When budgets warn and who is told: with options as `set`, without as `list`."""
        asks = bool(levels.given or reach.given)
        if context.invoked_subcommand:
            if asks:
                self.refuse("give options after the subcommand, such as: alert set --threshold 80%")
        elif asks:
            self._set_alerts(levels, reach, target, measured, periods)
        else:
            self._list_alerts(ScopeOptions([target.organization] if target.organization else []))

    @alert.command(name="set", epilog=SET)
    @grouped_options
    def alert_set(
        self,
        levels: LevelOptions,
        reach: ReachOptions,
        target: TargetOptions,
        measured: MeasureOptions,
        periods: PeriodFlags,
    ) -> None:
        """Set from where on budgets warn, and add who is told.

        Thresholds are those of all budgets that `cost budget` has set for the organization or the
        project, or of the periods named; they replace percentages by percentages and amounts by
        amounts. Without a budget an amount makes a monthly one that has no limit. Channels are
        told of all alerts of the organization.
        """
        if not (levels.given or reach.given):
            self.refuse("give a threshold or a channel, such as --threshold 80%")
        self._set_alerts(levels, reach, target, measured, periods)

    @alert.command(name="list", epilog=LIST)
    @grouped_options
    def alert_list(self, whose: ScopeOptions, output: FormatOption = Format.TABLE) -> None:
        """Thresholds, channels, and the alerts that are live."""
        self._list_alerts(whose, output)

    @alert.command(name="remove", epilog=REMOVE)
    @grouped_options
    def alert_remove(
        self,
        levels: LevelOptions,
        reach: ReachOptions,
        target: TargetOptions,
        measured: MeasureOptions,
        periods: PeriodFlags,
    ) -> None:
        """Take thresholds from budgets, and addresses from who is told."""
        if not (levels.given or reach.given):
            self.refuse("say what to remove, such as --threshold 80%")
        with self.told():
            found = find_target(target.organization, target.project)
            with transaction.atomic():
                lines = [
                    *self._without_levels(found, levels, measured, periods),
                    *self._without_targets(found, reach),
                ]
        self._say(lines)

    def _set_alerts(
        self,
        levels: LevelOptions,
        reach: ReachOptions,
        target: TargetOptions,
        measured: MeasureOptions,
        periods: PeriodFlags,
    ) -> None:
        with self.told():
            found = find_target(target.organization, target.project)
            with transaction.atomic():
                lines = [
                    *self._with_levels(found, levels, measured, periods),
                    *_with_targets(found, reach),
                ]
        self._say(lines)

    def _with_levels(
        self,
        target: Target,
        levels: LevelOptions,
        measured: MeasureOptions,
        periods: PeriodFlags,
    ) -> Iterator[str]:
        if not levels.given:
            return
        for plain in self._meant(target, measured, periods, or_new=bool(levels.amount)):
            set_levels = partial(
                warn_from, plain, ACTOR, percents=levels.threshold, amounts=levels.amount
            )
            yield _as_said("threshold" if levels.threshold else "amount", set_levels).text

    def _without_levels(
        self,
        target: Target,
        levels: LevelOptions,
        measured: MeasureOptions,
        periods: PeriodFlags,
    ) -> Iterator[str]:
        for level in levels.given:
            meant = self._meant(target, measured, periods, or_new=False)
            lines = [line for plain in meant if (line := warn_no_more(plain, level, ACTOR))]
            if not lines:
                self.refuse(f"no budget warns from {_shown(level)}", returncode=1)
            yield from lines

    def _without_targets(self, target: Target, reach: ReachOptions) -> Iterator[str]:
        for kind, address in reach.given:
            told = _as_said(kind, partial(remove_target, target.organization, kind, address, ACTOR))
            if not told:
                slug = target.organization.slug
                self.refuse(f"no default channel of {slug} goes there: --{kind}", returncode=1)
            yield told

    def _meant(
        self, target: Target, measured: MeasureOptions, periods: PeriodFlags, *, or_new: bool
    ) -> list[Plain]:
        """The budgets of the periods named, else all there are, else a monthly one to be made."""
        measure = self.measure_of(measured)
        if periods.chosen:
            return [Plain(target, period, measure) for period in periods.chosen]
        found = plain_budgets(target, measure)
        if not found and not or_new:
            self.refuse("no budget is set yet: cost budget set --monthly 200", returncode=1)
        return found or [Plain(target, Budget.Period.MONTH, measure)]

    def _list_alerts(self, whose: ScopeOptions, output: Format = Format.TABLE) -> None:
        with self.told():
            scope = whose.scope()
            channels, alerts = seen_channels(scope.viewer), live_alerts(scope.viewer)
            if scope.organizations:
                named = {"organization__slug__in": scope.organizations}
                channels, alerts = channels.filter(**named), alerts.filter(**named)
            document = alerts_document(read_all_states(scope), channels, list(alerts), scope)
            self.print_document(document, output, scope.time_zone)

    def _say(self, lines: list[str]) -> None:
        for line in lines:
            self.say(f"{line}\n")


def _with_targets(target: Target, reach: ReachOptions) -> Iterator[str]:
    for kind, address in reach.given:
        told = _as_said(kind, partial(add_target, target.organization, kind, address, ACTOR))
        yield told.text
        if told.secret:
            yield f"its messages are signed with (shown only now): {told.secret}"


def _as_said(option: str, done: Callable[[], _Outcome]) -> _Outcome:
    """What was done; a fault names the option that it is of."""
    try:
        return done()
    except ValidationError as fault:
        raise ValidationError([f"--{option}: {line}" for line in fault.messages]) from fault


def _shown(level: Level) -> str:
    return f"{level.amount:f}" if level.percent is None else f"{level.percent:f}%"
