"""`/events/`: take events in, look them up, list them."""

import msgspec
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.views import APIView

from usage.api.authentication import HasScope, KeyAuthentication, StaffSession, holder_of
from usage.api.bodies import read_body
from usage.api.event_reads import list_response
from usage.api.parameters import OwnFormat
from usage.api.problems import problem
from usage.api.schema.event_reads import GET_EVENTS
from usage.api.schema.events import POST_EVENTS
from usage.ingest.cloudevents import cloudevents_within, decode_binary, decode_cloudevents
from usage.ingest.decode import Batch, decode_json, decode_ndjson
from usage.ingest.pipeline import ingest
from usage.ingest.values import FieldError, Report
from usage.keys import caller_of
from usage.models import APIKey
from usage.selectors.event_filters import EventFilters

SHOW_ALL_UP_TO = 100
_encode = msgspec.json.encode


def decode_body(request: Request, body: bytes) -> Batch:
    """The events of a body by its content type. Raises BodyError."""
    media_type = (request.content_type or "").partition(";")[0].strip().lower()
    if media_type in ("application/x-ndjson", "application/ndjson", "application/jsonl"):
        return decode_ndjson(body)
    if media_type == "application/cloudevents+json":
        return decode_cloudevents(body, batch=False)
    if media_type == "application/cloudevents-batch+json":
        return decode_cloudevents(body, batch=True)
    if "ce-id" in request.headers:
        return decode_binary(request.headers, body)
    several = cloudevents_within(body)
    return decode_json(body) if several is None else decode_cloudevents(body, batch=several)


def is_strict(request: Request) -> bool:
    """Whether the caller prefers all or nothing (RFC 7240)."""
    preferences = request.headers.get("Prefer", "").lower().replace(" ", "").split(",")
    return "handling=strict" in preferences


class EventsView(APIView):
    """POST events in any of the native shapes; GET lists them."""

    authentication_classes = (KeyAuthentication, StaffSession)
    permission_classes = (HasScope,)
    content_negotiation_class = OwnFormat
    filterset_class = EventFilters

    @property
    def scope(self) -> str:
        """POST needs `ingest`, everything else `read`."""
        return APIKey.Scope.INGEST if self.request.method == "POST" else APIKey.Scope.READ

    @GET_EVENTS
    def get(self, request: Request) -> HttpResponseBase:
        """List stored events, newest first."""
        return list_response(request)

    @POST_EVENTS
    def post(self, request: Request) -> HttpResponse:
        """Store events and answer with a receipt for each."""
        body = read_body(request)
        batch = decode_body(request, body)
        report = ingest(
            batch.items,
            caller_of(holder_of(request), batch.items),
            plain=batch.plain,
            strict=is_strict(request),
            every=len(batch.items) <= SHOW_ALL_UP_TO or request.GET.get("receipts") == "all",
        )
        if batch.silent and not report.rejected and not report.conflicts:
            return HttpResponse(status=204)
        return answer(report, len(batch.items), single=batch.single)


def answer(report: Report, count: int, *, single: bool) -> HttpResponse:
    """200 with receipts; 422 when nothing was taken, 409 for a single conflicting event."""
    status = 200
    if report.rejected and report.rejected + report.conflicts == count:
        status = 422
    elif single and report.conflicts:
        status = 409
    if status != 200:
        return _refusal(status, report)
    return HttpResponse(_encode(report), content_type="application/json")


def _refusal(status: int, report: Report) -> HttpResponse:
    faults = [
        FieldError(error.field, error.code, error.message, receipt.index)
        for receipt in report.results
        for error in receipt.errors
    ]
    detail = (
        "No event was stored." if status == 422 else "The event id is taken by another payload."
    )
    code = "all_rejected" if status == 422 else "conflict"
    return problem(status, code, detail, faults, members=msgspec.structs.asdict(report))
