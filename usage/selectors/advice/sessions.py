"""Dear sessions: those that cost many times what others of their project usually cost.

A chat is compared with chats and an agent's work with agents' work: by the action of the calls.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal

from pricing.compiled import quantize
from usage.formats import percent, quantity, rounded, share
from usage.selectors.advice.values import (
    Advice,
    SessionCost,
    Spend,
    about,
    amount,
    is_worth_it,
    of_project,
)

CODE = "dear_session"
TIMES = 5
"""How many medians a session may cost before it is dear."""
MIN_SESSIONS = 20
"""Fewer sessions have no usual cost."""
MIN_SHARE = Decimal("0.01")
MOST = 5
"""How many sessions of one organization are told, the dearest first."""


def dear_sessions(sessions: Iterable[SessionCost], spend: Spend) -> Iterator[Advice]:
    """What sessions cost above five times the median, for those of at least 1 % of the spend."""
    told: Counter[str] = Counter()
    for session in sorted(sessions, key=lambda session: -session.cost):
        whole = spend.get(session.organization, Decimal(0))
        saving = session.cost - TIMES * session.median
        if (
            session.sessions >= MIN_SESSIONS
            and session.median > 0
            and session.cost >= whole * MIN_SHARE
            and is_worth_it(saving, session.organization, spend)
            and told[session.organization] < MOST
        ):
            told[session.organization] += 1
            yield _advice(session, saving, whole)


def _advice(session: SessionCost, saving: Decimal, whole: Decimal) -> Advice:
    others = f"{session.action} sessions" if session.action else "sessions"
    times = rounded(session.cost / session.median, 0)
    return Advice(
        code=CODE,
        title=f"Look at the session that cost {amount(session.cost)}",
        detail=(
            f"Session {session.session} ({of_project(session.project)}) cost"
            f" {amount(session.cost)}: {quantity(times)} times the median of"
            f" {amount(session.median)} of the {quantity(session.sessions)} {others} there, and"
            f" {percent(share(session.cost, whole))} of the spend. Stopped at {TIMES} times the"
            f" median it would have cost {amount(saving)} less."
        ),
        saving=quantize(saving),
        organization=session.organization,
        about=about(project=session.project, session=session.session),
    )
