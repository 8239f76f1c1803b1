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
from budgets.management.cost.alert_options import AlertOptions
from budgets.management.cost.budgeting import Budgeting, read_all_states
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
_Step = Callable[[Target, AlertOptions], Iterator[str]]
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
    def alert(self, context: Context, options: AlertOptions) -> None:
        """When budgets warn and who is told: with options as `set`, without as `list`."""
        if context.invoked_subcommand:
            if options.asks:
                self.refuse("give options after the subcommand, such as: alert set --threshold 80%")
        elif options.asks:
            self._set_alerts(options)
        else:
            slug = options.target.organization
            self._list_alerts(ScopeOptions([slug] if slug else []))

    @alert.command(name="set", epilog=SET)
    @grouped_options
    def alert_set(self, options: AlertOptions) -> None:
        """Set from where on budgets warn, and add who is told.

        Thresholds are those of all budgets that `cost budget` has set for the organization or the
        project, or of the periods named; they replace percentages by percentages and amounts by
        amounts. Without a budget an amount makes a monthly one that has no limit. Channels are
        told of all alerts of the organization.
        """
        if not options.asks:
            self.refuse("give a threshold or a channel, such as --threshold 80%")
        self._set_alerts(options)

    @alert.command(name="list", epilog=LIST)
    @grouped_options
    def alert_list(self, whose: ScopeOptions, output: FormatOption = Format.TABLE) -> None:
        """Thresholds, channels, and the alerts that are live."""
        self._list_alerts(whose, output)

    @alert.command(name="remove", epilog=REMOVE)
    @grouped_options
    def alert_remove(self, options: AlertOptions) -> None:
        """Take thresholds from budgets, and addresses from who is told."""
        if not options.asks:
            self.refuse("say what to remove, such as --threshold 80%")
        self._change(options, self._without_levels, self._without_targets)

    def _set_alerts(self, options: AlertOptions) -> None:
        self._change(options, self._with_levels, _with_targets)

    def _change(self, options: AlertOptions, *steps: _Step) -> None:
        """Take all steps or none, and say what each did."""
        with self.told():
            target = find_target(options.target.organization, options.target.project)
            with transaction.atomic():
                lines = [line for step in steps for line in step(target, options)]
        for line in lines:
            self.say(f"{line}\n")

    def _with_levels(self, target: Target, options: AlertOptions) -> Iterator[str]:
        levels = options.levels
        if not levels.given:
            return
        for plain in self._meant(target, options, or_new=bool(levels.amount)):
            set_levels = partial(
                warn_from, plain, ACTOR, percents=levels.threshold, amounts=levels.amount
            )
            yield _as_said("threshold" if levels.threshold else "amount", set_levels).text

    def _without_levels(self, target: Target, options: AlertOptions) -> Iterator[str]:
        for level in options.levels.given:
            meant = self._meant(target, options, or_new=False)
            lines = [line for plain in meant if (line := warn_no_more(plain, level, ACTOR))]
            if not lines:
                self.refuse(f"no budget warns from {_shown(level)}", returncode=1)
            yield from lines

    def _without_targets(self, target: Target, options: AlertOptions) -> Iterator[str]:
        for kind, address in options.reach.given:
            told = _as_said(kind, partial(remove_target, target.organization, kind, address, ACTOR))
            if not told:
                slug = target.organization.slug
                self.refuse(f"no default channel of {slug} goes there: --{kind}", returncode=1)
            yield told

    def _meant(self, target: Target, options: AlertOptions, *, or_new: bool) -> list[Plain]:
        """The budgets of the periods named, else all there are, else a monthly one to be made."""
        measure = self.measure_of(options.measured)
        periods = options.periods.chosen
        if periods:
            return [Plain(target, period, measure) for period in periods]
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


def _with_targets(target: Target, options: AlertOptions) -> Iterator[str]:
    for kind, address in options.reach.given:
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
