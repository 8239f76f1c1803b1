"""`/exports/` in the OpenAPI document."""

from typing import Annotated
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiRequest, OpenApiResponse, extend_schema
from msgspec import Meta, Struct

from usage.api.schema.bodies import Answer, Instant, Link
from usage.api.schema.components import Schema, schema_of
from usage.api.schema.inspection import PROBLEM_TYPE, problem_answer
from usage.api.schema.parameters import CURSOR, limit, parameter, path_word, words
from usage.exports.encoding import CONTENT_TYPES, ColumnType
from usage.focus import COLUMNS
from usage.models import Export

_KINDS = Annotated[str, Meta(extra_json_schema={"enum": Export.Kind.values})]
_FORMATS = Annotated[str, Meta(extra_json_schema={"enum": Export.Format.values})]
_STATUSES = Annotated[str, Meta(extra_json_schema={"enum": Export.Status.values})]
_BYTES: Schema = {"type": "string", "format": "binary"}
_ROWS: Schema = {"type": "array", "items": {"type": "object"}}
_TEXT: Schema = {"type": ["string", "null"]}
_VALUES: dict[ColumnType, Schema] = {
    ColumnType.INTEGER: {"type": ["integer", "null"]},
    ColumnType.BOOLEAN: {"type": ["boolean", "null"]},
    ColumnType.JSON: {},
}
_CHARGES: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {column.name: _VALUES.get(column.type, _TEXT) for column in COLUMNS},
        "required": [column.name for column in COLUMNS],
        "additionalProperties": False,
    },
}


class ExportWanted(Struct, forbid_unknown_fields=True):
    """What to write to a file: `parameters` are those of `GET /events/`, `GET /usage/` or
    `GET /exports/focus/`, without `format`, `limit` and `cursor`."""

    kind: _KINDS
    format: _FORMATS = Export.Format.CSV.value
    parameters: dict[str, str | list[str]] = {}


class ExportBody(Answer):
    """An export: `percent` is null as long as nobody knows how many rows there will be, and
    `download` until the file is there, and when it is gone."""

    id: UUID
    kind: _KINDS
    format: _FORMATS
    parameters: dict[str, str | list[str]]
    status: _STATUSES
    error: str | None
    rows_done: int
    rows_total: int | None
    percent: Annotated[int, Meta(ge=0, le=100)] | None
    size: Annotated[int, Meta(description="Bytes.")]
    requested_at: Instant
    started_at: Instant | None
    finished_at: Instant | None
    expires_at: Instant | None
    download: Link | None


class ExportsBody(Answer):
    """A page of exports, newest first."""

    results: list[ExportBody]
    next: Link | None
    previous: Link | None


_DAY = {"type": "string", "format": "date"}
_ID = path_word("export_id", "The export's id.", {"type": "string", "format": "uuid"})
_TAGS = ["exports"]
_WANTED = OpenApiExample(
    "November by project and day",
    value={
        "kind": "usage",
        "format": "csv",
        "parameters": {
            "from": "2026-11-01", "to": "2026-12-01", "granularity": "day", "group_by": "project",
        },
    },
)  # fmt: skip


def _files(rows: Schema) -> dict[tuple[int, str], OpenApiResponse]:
    """The formats of a file, of which JSON holds `rows`."""
    return {
        (200, content): OpenApiResponse(rows if name == Export.Format.JSON else _BYTES, "The file.")
        for name, content in CONTENT_TYPES.items()
    }


EXPORTS = extend_schema(
    operation_id="exports",
    summary="The exports that the caller asked for",
    tags=_TAGS,
    parameters=[limit(100), CURSOR],
    responses={(200, "application/json"): OpenApiResponse(schema_of(ExportsBody), "A page.")},
)
"""Decorates the method that lists."""

REQUEST_EXPORT = extend_schema(
    operation_id="request_export",
    summary="Ask for a file",
    tags=_TAGS,
    request={"application/json": OpenApiRequest(schema_of(ExportWanted), examples=[_WANTED])},
    responses={
        (202, "application/json"): OpenApiResponse(
            schema_of(ExportBody), "It will be written; `Location` shows how far it is."
        )
    },
)
"""Decorates the method that asks."""

EXPORT = extend_schema(
    operation_id="export",
    summary="One export: how far it is",
    tags=_TAGS,
    parameters=[_ID],
    responses={(200, "application/json"): OpenApiResponse(schema_of(ExportBody), "The export.")},
)
"""Decorates the method that shows one."""

DOWNLOAD = extend_schema(
    operation_id="export_download",
    summary="The file of an export",
    tags=_TAGS,
    parameters=[_ID],
    responses={
        **_files(_ROWS),
        (409, PROBLEM_TYPE): problem_answer(409, "It is not written yet, or could not be."),
        (410, PROBLEM_TYPE): problem_answer(410, "The file has expired."),
    },
)
"""Decorates the method that sends the file."""

FOCUS_EXPORT = extend_schema(
    operation_id="focus_export",
    summary="FOCUS charges",
    tags=_TAGS,
    parameters=[
        parameter("from", _DAY, "First day; by default 30 days before the end."),
        parameter("to", _DAY, "Day to stop before; by default tomorrow."),
        words("format", Export.Format.values, Export.Format.CSV, "Of the file."),
        parameter(
            "organization",
            {"type": "array", "items": {"type": "string"}},
            "Only this organization's charges; may be repeated.",
        ),
    ],
    responses={
        **_files(_CHARGES),
        (422, PROBLEM_TYPE): problem_answer(422, "Too many events; POST an export for these."),
    },
)
"""Decorates the method that sends the file."""
