"""Pages of rows of several organizations, merged from each one's own order.

Indexes begin with the organization. Asked for the newest rows of many at once, PostgreSQL reads
and sorts all there are; asked one after another, it reads a page of each.
"""

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from usage.replica import reading


def newest_rows(rows: QuerySet[Any], *, limit: int, offset: int = 0) -> QuerySet[Any]:
    """At most `limit` of `rows` after the first `offset`; they are ordered by plain columns, of
    which all descend and the last is the key."""
    # The admin names what rows are ordered by anyway once more.
    names = list(dict.fromkeys(str(name).removeprefix("-") for name in rows.query.order_by))
    own = rows.filter(organization_id=RawSQL("owner.id", ())).values_list(*names)
    try:
        inner, values = own[: offset + limit].query.sql_with_params()
    except EmptyResultSet:
        return rows.none()
    columns = ", ".join(names)
    descending = ", ".join(f"found.{name} DESC" for name in names)
    statement = (
        f"SELECT found.{names[-1]} FROM usage_organization owner CROSS JOIN LATERAL ({inner})"
        f" AS found ({columns}) ORDER BY {descending} LIMIT %s OFFSET %s"
    )
    with reading().cursor() as cursor:
        cursor.execute(statement, [*values, limit, offset])
        return rows.filter(pk__in=[key for (key,) in cursor.fetchall()])
