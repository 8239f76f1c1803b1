from usage.exports.files import Parameters
from usage.exports.requests import request_export
from usage.exports.working import continue_exports
from usage.models import Export
from usage.selectors.access import EVERYTHING
from usage.selectors.exports import Requester, read_file

NOVEMBER = {"from": "2026-11-01", "to": "2026-12-01"}
SITE = Requester(EVERYTHING)


def ask(
    kind: str = "events",
    file_format: str = "csv",
    parameters: Parameters = NOVEMBER,
    requester: Requester = SITE,
) -> Export:
    return request_export(kind, file_format, parameters, requester=requester)


def written(export: Export) -> bytes:
    continue_exports()
    export.refresh_from_db()
    assert export.status == Export.Status.DONE, (export.status, export.error)
    return file_of(export)


def file_of(export: Export) -> bytes:
    return b"".join(read_file(export))
