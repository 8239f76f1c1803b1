"""What a load refuses: reviews that are open, and what was decided in earlier ones."""

from typing import NamedTuple, TypeAlias

from pricing.catalogue.guard import Doubt
from pricing.models import PriceReview
from pricing.rating import quantize

Place: TypeAlias = tuple[str, str, str, str]
"""Provider, model, service tier and the digest of the prices listed there."""


class _Refused(NamedTuple):
    place: Place
    doubt: Doubt
    currency: str


class Refusals:
    """The reviews of one source during one load, within its transaction."""

    def __init__(self, source: str) -> None:
        """Read the source's reviews."""
        self._source = source
        self._refused: list[_Refused] = []
        self._reviews = {
            (review.provider, review.model, review.service_tier, review.digest): review
            for review in PriceReview.objects.filter(source=source)
        }

    def accepted(self, place: Place) -> PriceReview | None:
        """The review in which somebody accepted exactly these prices."""
        review = self._reviews.get(place)
        return review if review and review.status == PriceReview.Status.ACCEPTED else None

    def refuse(self, place: Place, doubt: Doubt, currency: str) -> None:
        """Keep these prices out."""
        self._refused.append(_Refused(place, doubt, currency))

    def store(self) -> int:
        """List what is refused for review and return how many reviews of it are open.

        Dismissed prices are not listed again; open reviews of what the source no longer says go.
        """
        places = {refused.place for refused in self._refused}
        stale = [
            review.pk
            for place, review in self._reviews.items()
            if review.status == PriceReview.Status.OPEN and place not in places
        ]
        PriceReview.objects.filter(pk__in=stale).delete()
        PriceReview.objects.bulk_create(
            _review(self._source, refused)
            for refused in self._refused
            if refused.place not in self._reviews
        )
        return open_reviews(self._source)


def open_reviews(source: str) -> int:
    """How many prices of a source wait for somebody to look at them."""
    return PriceReview.objects.filter(source=source, status=PriceReview.Status.OPEN).count()


def _review(source: str, refused: _Refused) -> PriceReview:
    provider, model, tier, digest = refused.place
    known = refused.doubt.known_price
    return PriceReview(
        source=source,
        provider=provider,
        model=model,
        service_tier=tier,
        digest=digest,
        fault=refused.doubt.fault,
        meter=refused.doubt.meter,
        known_price=None if known is None else quantize(known),
        listed_price=quantize(refused.doubt.listed_price),
        per=refused.doubt.per,
        currency=refused.currency,
        effective_from=refused.doubt.effective_from,
    )
