"""`/litellm/`: LiteLLM's generic API callback."""

from collections.abc import Sequence

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from usage.api.authentication import HasScope, KeyAuthentication, holder_of
from usage.api.bodies import read_body
from usage.api.events import answer
from usage.api.parameters import OwnFormat
from usage.api.schema.litellm import POST_LITELLM
from usage.callbacks.litellm import read_payload
from usage.ingest.decode import split_body
from usage.ingest.values import Receipt, Rejection, Report
from usage.keys import caller_of
from usage.mapping.current import rule_book
from usage.models import APIKey
from usage.sightings.intake import take_in
from usage.sightings.values import Sighting, Taken


class LiteLLMView(APIView):
    """POST what LiteLLM logged: an array, one payload a line, or a single one."""

    authentication_classes = (KeyAuthentication,)
    permission_classes = (HasScope,)
    content_negotiation_class = OwnFormat
    scope = APIKey.Scope.INGEST

    @POST_LITELLM
    def post(self, request: Request) -> HttpResponse:
        """Store the calls, each once, and tell what became of them."""
        holder = holder_of(request)
        book = rule_book()
        organization = holder.tenant.slug if holder.tenant else None
        found = [read_payload(raw, book, organization) for raw in split_body(read_body(request))]
        events = [item.event for item in found if isinstance(item, Sighting)]
        report = _report(take_in(found, caller_of(holder, events)), found)
        return answer(report, len(found), single=False)


def _report(taken: Taken, found: Sequence[Sighting | Rejection]) -> Report:
    refused = [
        Receipt(index, _event_id(found[index]), "rejected", errors=errors)
        for index, errors in sorted(taken.refused.items())
    ]
    return Report(
        accepted=taken.new + taken.corrected,
        duplicates=taken.repeats,
        conflicts=0,
        rejected=len(refused),
        unpriced=max(taken.unpriced, 0),
        results=refused,
    )


def _event_id(item: Sighting | Rejection) -> str | None:
    return item.event_id if isinstance(item, Rejection) else item.event.event_id
