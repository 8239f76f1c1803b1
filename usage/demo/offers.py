"""Which models the demonstration uses, and when they came and went."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate

from pricing.price_book import PriceBook

FLAGSHIP, EVERYDAY, SMALL, EMBEDDINGS = "flagship", "everyday", "small", "embeddings"
LANES = (FLAGSHIP, EVERYDAY, SMALL, EMBEDDINGS)
ADOPTION = timedelta(days=40)
NEWCOMER = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that people use for one kind of work, `since` inclusive to `until` exclusive.

    Use of it grows for 40 days after `since` and fades in the 40 days before `until`.
    """

    lane: str
    provider: str
    model: str
    weight: float
    since: date = date.min
    until: date = date.max
    priced: bool = True

    def share(self, day: date) -> float:
        """How much it is chosen on `day`, relative to other offers of its lane."""
        if not self.since <= day < self.until:
            return 0.0
        young = min(1.0, (day - self.since) / ADOPTION + 0.05)
        old = min(1.0, (self.until - day) / ADOPTION + 0.05)
        return self.weight * young * old


_OFFERS = (
    Offer(FLAGSHIP, "anthropic", "claude-opus-4-1", 2, date(2025, 8, 5), date(2026, 1, 15)),
    Offer(FLAGSHIP, "anthropic", "claude-opus-4-5", 5, date(2025, 11, 24), date(2026, 3, 20)),
    Offer(FLAGSHIP, "anthropic", "claude-opus-4-6", 6, date(2026, 2, 5), date(2026, 6, 1)),
    Offer(FLAGSHIP, "anthropic", "claude-opus-4-7", 6, date(2026, 4, 16), date(2026, 7, 20)),
    Offer(FLAGSHIP, "anthropic", "claude-opus-4-8", 7, date(2026, 5, 28), date(2026, 10, 5)),
    Offer(FLAGSHIP, "anthropic", "claude-opus-5", 7, date(2026, 7, 24), date(2026, 12, 31)),
    Offer(FLAGSHIP, "anthropic", "claude-opus-5-5", 9, date(2026, 9, 23)),
    Offer(FLAGSHIP, "openai", "gpt-5", 4, date(2025, 8, 7), date(2026, 2, 1)),
    Offer(FLAGSHIP, "openai", "gpt-5.2", 4, date(2025, 12, 11), date(2026, 5, 15)),
    Offer(FLAGSHIP, "openai", "gpt-5.4", 4, date(2026, 3, 5), date(2026, 8, 1)),
    Offer(FLAGSHIP, "openai", "gpt-5.5", 2, date(2026, 4, 23), date(2026, 9, 30)),
    Offer(FLAGSHIP, "openai", "gpt-5.6-sol", 4, date(2026, 7, 9), date(2026, 11, 10)),
    Offer(FLAGSHIP, "openai", "gpt-6-sol", 5, date(2026, 9, 22)),
    Offer(FLAGSHIP, "deepseek", "deepseek-reasoner", 1, date(2025, 1, 20), date(2026, 8, 15)),
    Offer(EVERYDAY, "anthropic", "claude-sonnet-4-0", 3, date(2025, 5, 22), date(2026, 6, 15)),
    Offer(EVERYDAY, "anthropic", "claude-sonnet-4-5", 8, date(2025, 9, 29), date(2026, 5, 1)),
    Offer(EVERYDAY, "anthropic", "claude-sonnet-4-6", 8, date(2026, 2, 17), date(2026, 9, 15)),
    Offer(EVERYDAY, "anthropic", "claude-sonnet-5", 8, date(2026, 6, 30), date(2026, 12, 31)),
    Offer(EVERYDAY, "anthropic", "claude-sonnet-5-5", 8, date(2026, 9, 29)),
    Offer(EVERYDAY, "openai", "gpt-4.1", 3, date(2025, 4, 14), date(2026, 7, 1)),
    Offer(EVERYDAY, "openai", "gpt-5.1", 3, date(2025, 11, 13), date(2026, 6, 1)),
    Offer(EVERYDAY, "openai", "gpt-5.4-mini", 3, date(2026, 3, 18)),
    Offer(EVERYDAY, "google", "gemini-2.5-pro", 3, date(2025, 6, 17), date(2026, 8, 1)),
    Offer(EVERYDAY, "google", "gemini-3.1-pro-preview", 3, date(2026, 2, 19)),
    Offer(EVERYDAY, "mistral", "mistral-large-2512", 2, date(2025, 12, 2)),
    Offer(EVERYDAY, "local", "qwen3-coder:30b", 1, date(2026, 1, 12), priced=False),
    Offer(SMALL, "anthropic", "claude-haiku-4-5", 5, date(2025, 10, 15)),
    Offer(SMALL, "anthropic", "claude-haiku-5-5", 5, date(2026, 10, 7)),
    Offer(SMALL, "openai", "gpt-4o-mini", 4, date(2024, 7, 18), date(2026, 4, 1)),
    Offer(SMALL, "openai", "gpt-5-mini", 4, date(2025, 8, 7), date(2026, 10, 15)),
    Offer(SMALL, "openai", "gpt-6-luna", 5, date(2026, 9, 22)),
    Offer(SMALL, "google", "gemini-2.5-flash", 4, date(2025, 6, 17), date(2026, 7, 1)),
    Offer(SMALL, "google", "gemini-3.5-flash", 4, date(2026, 5, 19), date(2026, 10, 8)),
    Offer(SMALL, "google", "gemini-3.6-flash", 3, date(2026, 7, 21)),
    Offer(SMALL, "deepseek", "deepseek-chat", 3, date(2025, 1, 1)),
    Offer(SMALL, "mistral", "mistral-small-2603", 2, date(2026, 3, 16)),
    Offer(EMBEDDINGS, "openai", "text-embedding-3-small", 4, date(2024, 1, 25)),
    Offer(EMBEDDINGS, "mistral", "mistral-embed", 1, date(2024, 1, 1)),
)  # fmt: skip


def offers_until(end: datetime, book: PriceBook) -> list[Offer]:
    """The offers whose prices the catalogue knows, plus two that no catalogue knows.

    One of the unknown models is so new on `end` (aware) that nobody has priced it yet.
    """
    newcomer = Offer(SMALL, "inhouse", "triage-7b", 0.6, (end - NEWCOMER).date(), priced=False)
    return [offer for offer in (*_OFFERS, newcomer) if _as_expected(offer, end, book)]


def _as_expected(offer: Offer, end: datetime, book: PriceBook) -> bool:
    first = datetime.combine(max(offer.since, date(2024, 1, 1)), time(), UTC)
    known = all(book.find(offer.provider, offer.model, at) for at in (first, end))
    return known == offer.priced


class Market:
    """The choice of models on one day."""

    def __init__(self, offers: list[Offer], day: date) -> None:
        """Work out the shares of `offers` on `day`, lane by lane."""
        self._lanes: dict[str, tuple[list[Offer], list[float]]] = {}
        for lane in LANES:
            shares = [(offer, offer.share(day)) for offer in offers if offer.lane == lane]
            present = [(offer, share) for offer, share in shares if share]
            if present:
                self._lanes[lane] = (
                    [offer for offer, _ in present],
                    list(accumulate(share for _, share in present)),
                )

    def lane(self, name: str) -> tuple[list[Offer], list[float]]:
        """The offers of a lane with their cumulative shares, or those of any other lane."""
        return self._lanes.get(name) or next(iter(self._lanes.values()))
