"""One day of one organization: its jobs, each a handful of calls, in order of time."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from usage.demo import calls
from usage.demo.calls import Shape, make_call
from usage.demo.cast import Company, Person, Work
from usage.demo.offers import EMBEDDINGS, EVERYDAY, FLAGSHIP, SMALL, Market, Offer
from usage.ingest.values import EventValue

_OFFICE = tuple(
    accumulate((0, 0, 0, 0, 0, 0, 1, 3, 8, 13, 15, 12, 7, 11, 14, 13, 11, 8, 4, 2, 2, 1, 1, 0))
)
_ALL_DAY = tuple(
    accumulate((2, 1, 1, 1, 1, 2, 3, 5, 8, 9, 9, 9, 9, 9, 9, 8, 8, 8, 9, 9, 8, 6, 4, 3))
)
_NIGHT = tuple(accumulate((0, 3, 6, 4, 1, *(0 for _ in range(19)))))
_HOURS = range(24)

_AGENTS = (
    ("Implementation", 34), ("Testing", 16), ("Research", 12), ("Documentation", 8),
    ("Dependency", 7), ("Release", 5), ("UI/UX", 5), ("Performance", 4), ("Design", 3),
)  # fmt: skip
_REVIEWERS = (("Implementation", 5), ("Security", 4), ("Testing", 3), ("Compliance", 2))
_BATCHES = (("Revenue", 4), ("Marketing", 3), ("Compliance", 2), ("Documentation", 1))
_TRIGGERS = (("pull_request", 35), ("push", 30), ("manual", 25), ("cron", 10))
_WEEKEND = {"people": 0.1, "services": 0.55}


def _pick(rng: Random, table: tuple[tuple[str, int], ...]) -> str:
    return rng.choices([name for name, _ in table], [weight for _, weight in table])[0]


@dataclass(slots=True)
class Day:
    """Makes the events of `company` on its local `day`; equal `rng` seeds make equal events.

    `volume` is how busy the day is against an ordinary weekday of a full-grown year. On `broken`
    days the nightly release breaks off and is run again.
    """

    company: Company
    day: date
    volume: float
    market: Market
    rng: Random
    broken: bool = False
    made: list[EventValue] = field(default_factory=list)
    jobs: int = 0

    def events(self) -> list[EventValue]:
        """The day's events, ascending in time."""
        weekend = self.day.weekday() >= 5
        people = self.volume * (_WEEKEND["people"] if weekend else 1.0)
        services = self.volume * (_WEEKEND["services"] if weekend else 1.0)
        for _ in self._count(len(self.company.people) * 2.3 * people):
            self._chat()
        for _ in self._count(15 * self.company.size * people):
            self._agent_run()
        for _ in self._count(15 * self.company.size * people):
            self._review()
        for _ in self._count(48 * self.company.size * services):
            self._support()
        for _ in self._count(2.2 * self.company.size * services):
            self._batch()
        for _ in self._count(3 * self.company.size * services):
            self._index()
        if self.company.labels and not weekend:
            self._label(round(60 * self.volume))
        if self.broken and not weekend and self.rng.random() < 2 * self.volume:
            self._broken_release()
        self.made.sort(key=lambda event: event.occurred_at)
        return self.made

    def runaway(self, count: int) -> None:
        """Add an agent that went wild at night and made `count` calls."""
        service, work = self.company.services[0], self.company.works[0]
        offers, shares = self.market.lane(FLAGSHIP)
        dearest = offers[shares.index(shares[-1])]
        start = self._at((0, *([1] * 23)))
        start = start.replace(hour=1, minute=10)
        shared = self._shared(service, work, action="agent", agent_type="Implementation")
        name = f"run-{self.company.slug}-{self.day:%Y%m%d}-runaway"
        shared |= {"run_id": name, "session_id": name, "run_trigger": "cron"}
        self._steps(count, start, 14.0, dearest, calls.RUNAWAY, shared)

    def _count(self, mean: float) -> range:
        """As many rounds as a Poisson-like draw around `mean` gives."""
        return range(max(0, round(self.rng.gauss(mean, (mean * 0.7) ** 0.5))))

    def _chat(self) -> None:
        person, work = self._person(), self._work()
        own = person.own_key and self.rng.random() < 0.6
        shared = self._shared(person, work, action="chat")
        shared |= {
            "session_id": self._name("chat"),
            "billing_scope": "user" if own else "org",
        }
        lane = FLAGSHIP if self.rng.random() < 0.15 else EVERYDAY
        rounds = 1 + int(self.rng.expovariate(1 / 3.6))
        start = self._at(_OFFICE)
        self._steps(min(rounds, 25), start, 95.0, self._offer(lane), calls.CHAT, shared)

    def _agent_run(self) -> None:
        trigger = _pick(self.rng, _TRIGGERS)
        by_clock = trigger == "cron"
        who = self.rng.choice(self.company.services) if by_clock else self._person()
        work = self._work()
        shared = self._shared(who, work, action="agent", agent_type=_pick(self.rng, _AGENTS))
        name = self._name("run")
        shared |= {"run_id": name, "session_id": name, "run_trigger": trigger}
        steps = 3 + int(self.rng.expovariate(1 / 9))
        start = self._at(_NIGHT if by_clock else _OFFICE)
        shape = calls.CARELESS if work.careless else calls.AGENT
        self._steps(min(steps, 45), start, 25.0, self._offer(FLAGSHIP), shape, shared)

    def _review(self) -> None:
        shared = self._shared(
            self._person(), self._work(), action="review", agent_type=_pick(self.rng, _REVIEWERS)
        )
        shared |= {"run_id": self._name("review"), "run_trigger": "pull_request"}
        steps = self.rng.randint(1, 4)
        self._steps(steps, self._at(_OFFICE), 12.0, self._offer(EVERYDAY), calls.REVIEW, shared)

    def _support(self) -> None:
        shared = self._shared(self.company.services[1], self._work(), action="chat")
        shared |= {
            "session_id": self._name("talk"),
            "agent_type": "Support",
            "free_tier": self.rng.random() < 0.004,
        }
        steps = 1 + int(self.rng.expovariate(1 / 2.5))
        start = self._at(_ALL_DAY)
        self._steps(min(steps, 15), start, 40.0, self._offer(SMALL), calls.SUPPORT, shared)

    def _batch(self) -> None:
        service = self.rng.choice(self.company.services)
        shared = self._shared(
            service, self._work(), action="batch", agent_type=_pick(self.rng, _BATCHES)
        )
        shared |= {
            "run_id": self._name("batch"), "run_trigger": "cron", "service_tier": "batch",
        }  # fmt: skip
        steps = self.rng.randint(8, 24)
        self._steps(steps, self._at(_NIGHT), 2.0, self._offer(EVERYDAY), calls.BATCH, shared)

    def _index(self) -> None:
        shared = self._shared(self.company.services[-1], self._work(), action="index")
        shared |= {"operation": "embeddings"}
        steps = self.rng.randint(6, 20)
        self._steps(steps, self._at(_ALL_DAY), 3.0, self._offer(EMBEDDINGS), calls.INDEX, shared)

    def _label(self, count: int) -> None:
        work = next(work for work in self.company.works if work.project == self.company.labels)
        shared = self._shared(self.company.services[-1], work, action="label")
        shared |= {"session_id": self._name("label")}
        self._steps(count, self._at(_OFFICE), 6.0, self._best(), calls.LABEL, shared)

    def _broken_release(self) -> None:
        work = self.company.works[-1]
        start = self._at((0, 0, 0, *([1] * 21)))
        for pause, steps, lost in ((0, 14, 6), (35, 16, 0)):
            shared = self._shared(
                self.company.services[0], work, action="agent", agent_type="Release"
            )
            name = self._name("release")
            shared |= {"run_id": name, "session_id": name, "run_trigger": "cron"}
            before = len(self.made)
            at = start + timedelta(minutes=pause)
            self._steps(steps, at, 25.0, self._best(), calls.AGENT, shared)
            for event in self.made[before + steps - lost :]:
                # The time limit of the runner breaks off answers that are billed all the same.
                event.status = "error"

    def _best(self) -> Offer:
        """The flagship that is chosen most often on this day."""
        offers, shares = self.market.lane(FLAGSHIP)
        own = [share - before for share, before in zip(shares, [0.0, *shares], strict=False)]
        return offers[own.index(max(own))]

    def _steps(
        self, count: int, start: datetime, pause: float, offer: Offer, shape: Shape,
        shared: dict[str, Any],
    ) -> None:  # fmt: skip
        prefix = f"demo-{self.company.slug}-{self.day:%Y%m%d}-"
        at, rng = start, self.rng
        for step in range(count):
            event_id = f"{prefix}{len(self.made)}"
            self.made.append(make_call(rng, event_id, at, offer, shape, step, shared))
            at += timedelta(seconds=round(rng.expovariate(1 / pause) + 0.4, 3))

    def _shared(self, who: Person, work: Work, **fields: Any) -> dict[str, Any]:
        environment = "ci" if fields["action"] in ("agent", "review") else "prod"
        return {
            "organization": self.company.slug,
            "project": work.project,
            "subject": who.subject,
            "team": who.team,
            "operation": "chat",
            "tags": {"env": environment, "feature": self.rng.choice(work.features)},
            **fields,
        }

    def _person(self) -> Person:
        # Some people work with models far more than others.
        people = self.company.people
        return people[min(int(self.rng.random() ** 1.6 * len(people)), len(people) - 1)]

    def _work(self) -> Work:
        works = self.company.works
        return self.rng.choices(works, [work.weight for work in works])[0]

    def _offer(self, lane: str) -> Offer:
        offers, shares = self.market.lane(lane)
        return self.rng.choices(offers, cum_weights=shares)[0]

    def _name(self, kind: str) -> str:
        self.jobs += 1
        return f"{kind}-{self.company.slug}-{self.day:%Y%m%d}-{self.jobs}"

    def _at(self, hours: tuple[int, ...]) -> datetime:
        hour = self.rng.choices(_HOURS, cum_weights=hours)[0]
        minute, second = divmod(self.rng.randrange(3600), 60)
        zone = ZoneInfo(self.company.time_zone)
        local = datetime(
            self.day.year, self.day.month, self.day.day, hour, minute, second, tzinfo=zone
        )
        return local.astimezone(UTC)


def iterate_days(first: date, last: date) -> Iterator[date]:
    """The days from `first` to `last`, both inclusive."""
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)
