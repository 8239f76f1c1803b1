"""Tables as files that a client takes away."""

from django.http import StreamingHttpResponse

from usage.exports.encoding import CONTENT_TYPES, Table, encode
from usage.models import Export


def file_response(table: Table, file_format: Export.Format, name: str) -> StreamingHttpResponse:
    """The rows as a file called `name`, sent while they are read."""
    return StreamingHttpResponse(
        encode(file_format, table.columns, table.rows),
        content_type=CONTENT_TYPES[file_format],
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "private, no-store",
        },
    )
