"""Gathering: what several requests of a process bring at the same moment is stored together.

Each would pay for the same statements and wait for the same disk; together they pay once. While
one transaction is under way the next gathers, so that nobody waits for company that may not come.
Each organization gathers apart: none waits for what another one's budgets or imports have locked.
"""

import time
from collections.abc import Sequence
from threading import Lock

from django.db import connection

from usage.ingest.rows import Rated
from usage.ingest.store import Stored, store

AT_MOST = 100
"""Events of one request that are worth gathering; larger batches are company enough."""
PATIENCE = 0.004
"""Seconds that are waited at most for those who came along last time: about two commits."""


class _Offer:
    """What one request wants stored, and what has become of it.

    No other that is stored with it may bring the same events, or settle the same reservations.
    """

    def __init__(self, rated: Sequence[Rated]) -> None:
        self.rated = rated
        self.digests = {r.prepared.digest for r in rated}
        self.digests |= {r.prepared.event.reservation or r.prepared.digest for r in rated}
        self.stored: Stored | None = None
        self.alone = False


class Gatherer:
    """Where small batches of one organization wait for each other in a process."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._storing = Lock()
        self._waiting: list[_Offer] = []
        self._expected = 1

    def store(self, rated: Sequence[Rated]) -> Stored:
        """Store a batch along with others; what fails together is tried again alone."""
        offer = _Offer(rated)
        with self._guard:
            self._waiting.append(offer)
        with self._storing:
            if offer.stored is None and not offer.alone:
                self._store_waiting(offer)
        return store(rated, strict=False) if offer.stored is None else offer.stored

    def _store_waiting(self, own: _Offer) -> None:
        self._await_company()
        company = self._take(own)
        self._expected = len(company)
        try:
            stored = store([r for offer in company for r in offer.rated], strict=False)
        except Exception:
            if len(company) == 1:
                raise
            for offer in company:
                offer.alone = True
            return
        for offer in company:
            offer.stored = _share(offer, stored)

    def _await_company(self) -> None:
        # Who was stored together was answered together, and is likely to come again together.
        deadline = time.monotonic() + PATIENCE
        while len(self._waiting) < self._expected and time.monotonic() < deadline:
            time.sleep(PATIENCE / 8)

    def _take(self, own: _Offer) -> list[_Offer]:
        """`own` and all that waits with other keys than those taken before it."""
        with self._guard:
            company, digests = [own], set(own.digests)
            left = []
            for offer in self._waiting:
                if offer is own:
                    continue
                if digests.isdisjoint(offer.digests):
                    company.append(offer)
                    digests |= offer.digests
                else:
                    left.append(offer)
            self._waiting = left
        return company


def _is_plain(rated: Rated) -> bool:
    """Whether an event concerns no other one."""
    p = rated.prepared
    return not p.part and p.event.corrects is None


def _share(offer: _Offer, stored: Stored) -> Stored:
    taken = {d: claim for d, claim in stored.taken.items() if d in offer.digests}
    rated = [r for r in offer.rated if r.prepared.digest not in taken]
    return Stored(rated, taken=taken)


_gatherers: dict[int, Gatherer] = {}


def gatherer_of(organization_id: int) -> Gatherer:
    """The process's one gatherer of an organization."""
    return _gatherers.setdefault(organization_id, Gatherer())


def store_gathered(rated: Sequence[Rated], *, strict: bool) -> Stored:
    """Like `usage.ingest.store.store`, for plain small batches along with others'.

    What harms the others' transaction is tried again alone, and raises what it raises there.
    """
    owner = rated[0].prepared.tenant.id
    # Inside a transaction of the caller's nobody else may store for it, nor it for others.
    apart = strict or connection.in_atomic_block or len(rated) > AT_MOST
    if apart or not all(_is_plain(r) and r.prepared.tenant.id == owner for r in rated):
        return store(rated, strict=strict)
    return gatherer_of(owner).store(rated)
