"""What advice is made of: the facts rules look at, and what they answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from pricing.compiled import PriceValue
from usage.formats import money
from usage.selectors.currency import ledger_currency

MIN_SHARE = Decimal("0.005")
"""The part of an organization's spend that a saving must reach to be worth telling."""

Spend = Mapping[str, Decimal]
"""What each organization (slug) spent in the period."""


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to do about cost, with what it would have saved in the period.

    `code` is stable; `saving` is in the ledger currency, 10 decimals. `about` names what it is
    about by dimension (project, provider, model, session, run…), for filters and links.
    """

    code: str
    title: str
    detail: str
    saving: Decimal
    organization: str
    about: dict[str, str]


@dataclass(frozen=True, slots=True)
class Counts:
    """Sums of calls; `cost` is in the ledger currency."""

    events: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cache_write_1h_tokens: int
    cost: Decimal

    def average(self) -> dict[str, int]:
        """The meters of the average call, each rounded half up."""
        return {
            name: (2 * getattr(self, name) + self.events) // (2 * self.events)
            for name in (
                "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
                "cache_write_1h_tokens",
            )
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class ModelUse:
    """What one project (None: not given) used of one model, calls of one operation and tier."""

    organization: str
    project: str | None
    provider: str
    model: str
    operation: str
    service_tier: str
    calls: int
    short: Counts


@dataclass(frozen=True, slots=True)
class CacheUse:
    """How much of the input of one project and model came from the provider's cache."""

    organization: str
    project: str | None
    provider: str
    model: str
    counts: Counts

    @property
    def rate(self) -> Decimal:
        """The cached share of all input, 0 to 1."""
        whole = self.counts.input_tokens
        return Decimal(self.counts.cache_read_tokens) / whole if whole else Decimal(0)


@dataclass(frozen=True, slots=True)
class SessionCost:
    """What calls of one action in a session cost, with the median of all `sessions` of the
    project that have calls of it."""

    organization: str
    project: str | None
    action: str
    session: str
    cost: Decimal
    median: Decimal
    sessions: int


@dataclass(frozen=True, slots=True)
class FailedRuns:
    """Failed runs of one project and trigger that were soon run again; `dearest` is one's id."""

    organization: str
    project: str | None
    trigger: str
    runs: int
    calls: int
    errors: int
    cost: Decimal
    dearest: str


@dataclass(frozen=True, slots=True)
class FailedCalls:
    """Calls outside runs that failed but were billed."""

    organization: str
    project: str | None
    provider: str
    model: str
    calls: int
    cost: Decimal


PriceOf = Callable[[str, str, str, str], PriceValue | None]
"""The price for an organization of a provider's model in a service tier, in ledger currency."""


def is_worth_it(saving: Decimal, organization: str, spend: Spend) -> bool:
    """Whether a saving is a part of the organization's spend that is worth telling."""
    return saving > 0 and saving >= spend.get(organization, Decimal(0)) * MIN_SHARE


def amount(value: Decimal) -> str:
    """An amount in the ledger currency, for a sentence."""
    return money(value, ledger_currency())


def of_project(project: str | None) -> str:
    """A project's name, for a sentence."""
    return f"project {project}" if project else "no project"


def about(**parts: str | None) -> dict[str, str]:
    """The parts that are given."""
    return {name: value for name, value in parts.items() if value}
