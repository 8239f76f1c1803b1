"""`cost check`: may a session begin?"""

import sys
from contextlib import suppress
from decimal import Decimal
from typing import Annotated

import msgspec
from django.utils import timezone
from django_typer.management import command
from typer import Option

from budgets.amounts import amount_text, limit_text
from budgets.asking import Ask, AskRefused, read_ask
from budgets.checking import check_call
from budgets.deciding import ALLOW, BLOCK, Tested, Verdict
from budgets.management.cost.budgeting import Budgeting
from budgets.management.cost.options import TargetOptions
from budgets.messages import message_of, reset_text, title_of
from budgets.targets import Target, UnknownTargetError, find_target
from usage.formats import percent
from usage.ingest.identities import tenant_of
from usage.ingest.prepare import Tenancy
from usage.management.cost.options import parse_amount
from usage.management.option_groups import grouped_options

CHECK = """\b
examples:
  manage.py cost check --project web && start-the-agent
  manage.py cost check --amount 2.50 --organization acme --yes
"""
_YES = ("y", "yes")


class Starting(Budgeting):
    """The question that is asked before a session."""

    @command(name="check", epilog=CHECK)
    @grouped_options
    def check_start(
        self,
        target: TargetOptions,
        amount: Annotated[
            Decimal | None,
            Option("--amount", metavar="AMOUNT", parser=parse_amount, help="what it may cost"),
        ] = None,
        user: Annotated[str, Option("--user", metavar="KEY", help="who begins it")] = "",
        yes: Annotated[bool, Option("--yes", help="go on in spite of warnings")] = False,
    ) -> None:
        """Whether a session may begin: exit 0 if so, 1 if not.

        Shows every budget that it counts against. Where one warns it asks whether to go on; the
        answer is no unless somebody says yes. What a hard budget blocks does not begin.
        """
        with self.told():
            ask = self._ask(_owner(target), target, amount, user)
            verdict = check_call(ask, timezone.now())
        self._show(verdict)
        if verdict.outcome == BLOCK:
            self.refuse(message_of(verdict), returncode=1)
        self.say(f"{message_of(verdict)}\n")
        if verdict.outcome != ALLOW and not (yes or self._goes_on()):
            self.refuse("not started", returncode=1)

    def _ask(self, owner: Target, target: TargetOptions, amount: Decimal | None, user: str) -> Ask:
        given = {"project": target.project, "subject": user, "amount": amount}
        said = {name: value for name, value in given.items() if value not in ("", None)}
        tenancy = Tenancy(tenant_of(owner.organization), {})
        body = msgspec.json.Encoder(decimal_format="number").encode(said)
        try:
            return read_ask(body, tenancy, timezone.now(), api_key_id=None, known_only=True)
        except AskRefused as error:
            self.refuse(" ".join(fault.message for fault in error.errors))

    def _show(self, verdict: Verdict) -> None:
        for tested in verdict.tested:
            self.say(f"{_line(tested)}\n")

    def _goes_on(self) -> bool:
        self.say("Continue? [y/N] ")
        self.stdout.flush()
        answer = ""
        with suppress(EOFError, KeyboardInterrupt):
            answer = sys.stdin.readline()
        return answer.strip().lower() in _YES


def _owner(target: TargetOptions) -> Target:
    """Whose budgets are asked: a project may be so new that nobody knows it."""
    try:
        return find_target(target.organization, target.project)
    except UnknownTargetError:
        if not target.project:
            raise
        return find_target(target.organization)


def _line(tested: Tested) -> str:
    state = tested.state
    measure = state.facts.measure
    parts = [
        f"budget {limit_text(state.limit, measure)}",
        f"used {amount_text(state.used, measure)} ({percent(state.percent)})",
    ]
    if state.reserved:
        parts.append(f"held {amount_text(state.reserved, measure)}")
    if state.remaining is not None:
        parts.append(f"remaining {amount_text(state.remaining, measure)}")
    return f"{title_of(state)}: {', '.join(parts)}. {reset_text(state)}"
