"""The options that say from where on budgets warn, and who is told."""

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Annotated

from typer import BadParameter, Option

from budgets.management.cost.options import MeasureOptions, PeriodFlags, TargetOptions
from budgets.models import Channel
from budgets.setting import Level
from usage.management.cost.options import parse_amount


def _parse_percent(text: str) -> Decimal:
    try:
        percent = Decimal(text.removesuffix("%").strip())
    except InvalidOperation:
        percent = Decimal("NaN")
    if percent.is_finite() and percent > 0:
        return percent
    raise BadParameter(f"{text!r} is no percentage such as 80%")


@dataclass(frozen=True, slots=True)
class LevelOptions:
    """From where on budgets warn."""

    threshold: Annotated[
        list[Decimal],
        Option(
            "--threshold", metavar="PERCENT", parser=_parse_percent, help="of the limit; repeatable"
        ),
    ] = field(default_factory=list)
    amount: Annotated[
        list[Decimal],
        Option("--amount", metavar="AMOUNT", parser=parse_amount, help="used; repeatable"),
    ] = field(default_factory=list)

    @property
    def given(self) -> list[Level]:
        """The levels that are named."""
        percents = [Level(percent=percent) for percent in self.threshold]
        return percents + [Level(amount=amount) for amount in self.amount]


@dataclass(frozen=True, slots=True)
class ReachOptions:
    """Where alerts of the organization are sent."""

    email: Annotated[
        list[str], Option("--email", metavar="ADDRESS", help="told by e-mail; repeatable")
    ] = field(default_factory=list)
    webhook: Annotated[
        list[str], Option("--webhook", metavar="URL", help="told by signed JSON; repeatable")
    ] = field(default_factory=list)
    slack: Annotated[
        list[str], Option("--slack", metavar="URL", help="told by a Slack webhook; repeatable")
    ] = field(default_factory=list)

    @property
    def given(self) -> list[tuple[str, str]]:
        """Kinds of channels with where they go to."""
        named = {
            Channel.Kind.EMAIL: self.email,
            Channel.Kind.WEBHOOK: self.webhook,
            Channel.Kind.SLACK: self.slack,
        }
        return [(kind.value, target) for kind, targets in named.items() for target in targets]


@dataclass(frozen=True, slots=True)
class AlertOptions:
    """From where on which budgets warn, and who is told."""

    levels: LevelOptions
    reach: ReachOptions
    target: TargetOptions
    measured: MeasureOptions
    periods: PeriodFlags

    @property
    def asks(self) -> bool:
        """Whether there is anything to set or to remove."""
        return bool(self.levels.given or self.reach.given)
