"""`/exports/`: files written by a worker, and FOCUS charges at once."""

from uuid import UUID

import msgspec
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView

from pricing.api.bodies import fault_of
from usage.api.authentication import HasScope, KeyAuthentication, StaffSession
from usage.api.bodies import read_body
from usage.api.files import file_response
from usage.api.parameters import MAX_PAGE, OwnFormat, ParameterReader, page_link
from usage.api.problems import problem
from usage.api.questions import read_focus_question
from usage.api.reads import json_answer
from usage.api.schema.exports import DOWNLOAD, EXPORT, EXPORTS, FOCUS_EXPORT, REQUEST_EXPORT
from usage.exports.charges import events_behind, open_focus
from usage.exports.encoding import CONTENT_TYPES
from usage.exports.requests import TooManyExports, request_export
from usage.models import APIKey, Export
from usage.selectors.access import viewer_of
from usage.selectors.exports import (
    find_export,
    list_exports,
    percent_done,
    read_file,
    requester_of,
)
from usage.selectors.questions import QuestionError

PAGE = 100
MOST_AT_ONCE = 500_000
_MOVED = "Ask for it by POST /api/v1/exports/, or for fewer days."


class _Wanted(msgspec.Struct, forbid_unknown_fields=True):
    kind: str
    format: str = Export.Format.CSV
    parameters: dict[str, str | list[str]] = {}


_wanted = msgspec.json.Decoder(_Wanted)


class _ExportsRead(APIView):
    authentication_classes = (KeyAuthentication, StaffSession)
    permission_classes = (HasScope,)
    content_negotiation_class = OwnFormat
    scope = APIKey.Scope.READ


class ExportsView(_ExportsRead):
    """Exports that the caller asked for; POST asks for one more.

    A worker writes the file, all of it as of one moment. `parameters` are those of the query
    string of `GET /events/`, `GET /usage/` or `GET /exports/focus/`, without `format`, `limit`
    and `cursor`. The file is there for some time (`expires_at`), the record stays.
    """

    @EXPORTS
    def get(self, request: Request) -> HttpResponse:
        """List the caller's exports, newest first."""
        reader = ParameterReader(request.GET)
        limit = reader.number("limit", PAGE, MAX_PAGE)
        cursor = reader.one("cursor")
        reader.finish()
        page = list_exports(requester_of(request.user), limit, cursor)
        return json_answer(
            {
                "results": [_shown(request, export) for export in page.exports],
                "next": page_link(request, page.older),
                "previous": page_link(request, page.newer),
            }
        )

    @REQUEST_EXPORT
    def post(self, request: Request) -> HttpResponse:
        """Ask for a file."""
        ParameterReader(request.GET).finish()
        try:
            wanted = _wanted.decode(read_body(request))
            requester = requester_of(request.user)
            export = request_export(
                wanted.kind, wanted.format, wanted.parameters, requester=requester
            )
        except msgspec.ValidationError as error:
            fault = fault_of(str(error), root="")
            raise QuestionError(fault.field, fault.code, fault.message) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return problem(400, "malformed_json", f"The body is not valid JSON: {error}.")
        except TooManyExports as error:
            return problem(429, error.code, error.message, headers={"Retry-After": "5"})
        shown = _shown(request, export)
        where = _address(request, "export", export)
        return json_answer(shown, status=202, headers={"Location": where})


class ExportView(_ExportsRead):
    """One export: how far it is, and where its file is."""

    @EXPORT
    def get(self, request: Request, export_id: str) -> HttpResponse:
        """Show it, 404 for others' unless the caller sees every organization."""
        ParameterReader(request.GET).finish()
        return json_answer(_shown(request, _found(request, export_id)))


class ExportDownloadView(_ExportsRead):
    """The file of an export.

    409 as long as it is not written (or could not be), 410 when its time is over.
    """

    @DOWNLOAD
    def get(self, request: Request, export_id: str) -> HttpResponseBase:
        """Send the file."""
        ParameterReader(request.GET).finish()
        export = _found(request, export_id)
        match export.status:
            case Export.Status.DONE:
                return _download(export)
            case Export.Status.EXPIRED:
                return problem(410, "expired", "The file has expired; ask for it again.")
            case Export.Status.FAILED:
                return problem(409, "failed", f"The file could not be written: {export.error}")
        return problem(409, "not_ready", "The file is still being written.")


class FocusExportView(_ExportsRead):
    """Charges as of FOCUS 1.2, for `from` to `to` (exclusive), days of each organization's zone.

    Events without a price are not in it. Over 500,000 events are refused by 422: POST an export
    for these.
    """

    @FOCUS_EXPORT
    def get(self, request: Request) -> HttpResponseBase:
        """Send the file while it is written."""
        reader = ParameterReader(request.GET)
        file_format = Export.Format(
            reader.choice("format", Export.Format.values, Export.Format.CSV)
        )
        question = read_focus_question(reader, viewer_of(request.user))
        reader.finish()
        if events_behind(question) > MOST_AT_ONCE:
            told = f"These are over {MOST_AT_ONCE} events. {_MOVED}"
            return problem(422, "too_large", told)
        table = open_focus(question)
        name = f"focus-{question.start}-{question.end}.{file_format}"
        return file_response(table, file_format, name)


def _found(request: Request, export_id: str) -> Export:
    try:
        export = find_export(requester_of(request.user), UUID(export_id))
    except ValueError:
        export = None
    if export is None:
        raise NotFound(f"There is no export {export_id!r}.")
    return export


def _download(export: Export) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        read_file(export),
        content_type=CONTENT_TYPES[Export.Format(export.format)],
        headers={
            "Content-Disposition": f'attachment; filename="{export.file_name}"',
            "Content-Length": str(export.size),
            "Cache-Control": "private, no-store",
        },
    )


def _shown(request: Request, export: Export) -> dict[str, object]:
    is_done = export.status == Export.Status.DONE
    return {
        "id": export.pk,
        "kind": export.kind,
        "format": export.format,
        "parameters": export.parameters,
        "status": export.status,
        "error": export.error or None,
        "rows_done": export.rows_done,
        "rows_total": export.rows_total,
        "percent": percent_done(export),
        "size": export.size,
        "requested_at": export.requested_at,
        "started_at": export.started_at,
        "finished_at": export.finished_at,
        "expires_at": export.expires_at,
        "download": _address(request, "export_download", export) if is_done else None,
    }


def _address(request: Request, name: str, export: Export) -> str:
    return request.build_absolute_uri(f"{reverse(name, args=(export.pk,))}/")
