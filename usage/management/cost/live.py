"""`cost session` and `cost quota`: where things stand right now."""

import json
import sys
import time
from contextlib import suppress
from decimal import Decimal
from typing import Annotated

from django.conf import settings
from django.db import connection
from django_typer.management import command, group
from typer import Argument, Option

from usage.management.cost.base import CostCommand
from usage.management.cost.options import Format, FormatOption, ScopeOptions, parse_window
from usage.management.option_groups import grouped_options
from usage.reports.episodes import find_session
from usage.reports.quotas import PlanLimits, QuotaPlan, quota_document, quota_report
from usage.reports.scope import Scope
from usage.reports.status_line import status_line
from usage.selectors.episodes import Episode

SESSION = """\b
examples:
  manage.py cost session session-abc123
  manage.py cost session session-abc123 --watch
  echo '{"session_id": "session-abc123"}' | manage.py cost session
With TALLYMAN_URL and TALLYMAN_KEY set it asks that server, which takes a fraction of a second.
"""
QUOTA = "\b\nexample:\n  manage.py cost quota report --plan 'Claude Max' --requests 225 --window 5h"


class Live(CostCommand):
    """One line for prompts, and what is left of a plan."""

    @command(epilog=SESSION)
    @grouped_options
    def session(
        self,
        whose: ScopeOptions,
        session_id: Annotated[
            str,
            Argument(metavar="[ID]", help="without, or as -: JSON with session_id on stdin"),
        ] = "-",
        watch: Annotated[bool, Option("--watch", help="keep the line up to date")] = False,
        interval: Annotated[float, Option("--interval", min=0.5, help="seconds to wait")] = 3,
    ) -> None:
        """One line about a session, for prompts.

        Cost so far, tokens, calls, model, and what is left of the budget. Costs are estimates.
        """
        named = session_id if session_id != "-" else self._read_id()
        with self.told():
            scope = whose.scope()
            if not watch:
                self.say(f"{self._line(scope, named)}\n")
                return
            with suppress(KeyboardInterrupt):
                while True:
                    # Seen afresh each time, on a connection that does not idle in between.
                    line = self._line(scope, named)
                    connection.close()
                    self._rewrite(line)
                    time.sleep(interval)
            if self.stdout.isatty():
                self.stdout.write("")

    def budget_left(self, scope: Scope, episode: Episode) -> Decimal | None:
        """How many percent are left of the budget of a session that leaves least, if of any."""
        return None

    def plan_limits(self, scope: Scope) -> PlanLimits:
        """What is set for a plan besides the command line and the environment."""
        return PlanLimits()

    def _line(self, scope: Scope, session_id: str) -> str:
        episode = find_session(scope, session_id)
        return status_line(episode, self.budget_left(scope, episode))

    def _read_id(self) -> str:
        try:
            found = json.load(sys.stdin)["session_id"]
        except (ValueError, KeyError, TypeError):
            found = None
        if not isinstance(found, str) or not found:
            self.refuse("give a session's ID, or JSON with session_id on standard input")
        return found

    def _rewrite(self, line: str) -> None:
        if self.stdout.isatty():
            self.say(f"\r\x1b[2K{line}")
        else:
            self.say(f"{line}\n")
        self.stdout.flush()

    @group(epilog=QUOTA)
    def quota(self) -> None:
        """What is left of a subscription plan."""

    @quota.command(name="report", epilog=QUOTA)
    @grouped_options
    def quota_report(
        self,
        whose: ScopeOptions,
        plan: Annotated[str, Option("--plan", help="its name")] = "",
        requests: Annotated[
            int | None, Option("--requests", min=1, help="messages it has in a window")
        ] = None,
        window: Annotated[
            str | None,
            Option("--window", parser=parse_window, metavar="5h|day|week|month", help="its window"),
        ] = None,
        output: FormatOption = Format.TABLE,
    ) -> None:
        """Messages used of a plan, and when they reset.

        A message is one metered call. A window of hours begins with the first call after the one
        before has ended. Plan, requests and window default to TALLYMAN_PLAN,
        TALLYMAN_PLAN_REQUESTS and TALLYMAN_PLAN_WINDOW, else to a budget of requests.
        """
        with self.told():
            scope = whose.scope()
            limits = self.plan_limits(scope)
            chosen = self._plan(plan, requests, window, limits)
            document = quota_document(quota_report(scope, chosen))
            self.print_document(document, output, scope.time_zone)

    def _plan(
        self, name: str, requests: int | None, window: str | None, limits: PlanLimits
    ) -> QuotaPlan:
        named = name or settings.TALLYMAN_PLAN
        given = requests or settings.TALLYMAN_PLAN_REQUESTS
        if not given and limits.requests and window in (None, limits.window):
            return QuotaPlan(named, limits.requests, limits.window, limits.daily_tokens)
        if not given:
            self.refuse(
                "say how many messages the plan has: --requests or TALLYMAN_PLAN_REQUESTS, or set"
                " a budget of requests"
            )
        chosen = window or settings.TALLYMAN_PLAN_WINDOW
        return QuotaPlan(named, given, chosen, limits.daily_tokens)
