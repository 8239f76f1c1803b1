"""Pages of reports, as providers' APIs send them and as they are saved in files."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

import msgspec

from usage.answers import quoted
from usage.bills.values import BillFault, Reading, ReadLine
from usage.models import BillDay

AnyPart = TypeVar("AnyPart")


class Page(msgspec.Struct, Generic[AnyPart]):
    """A page of parts, each of which has a UTC `day` and `results`."""

    data: list[AnyPart]
    has_more: bool = False
    next_page: str | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """How one report is read: the type of its pages, and the lines that one result becomes.

    In a file it is known by a field of its results, with a certain value unless that is "".
    """

    report: BillDay.Report
    page: Any
    lines: Callable[[date, Any], Iterable[ReadLine]]
    mark: tuple[str, str]

    def decode(self, body: bytes) -> Page[Any]:
        """A page; amounts keep every digit. BillFault says what is wrong with it."""
        try:
            page: Page[Any] = msgspec.json.decode(body, type=self.page, strict=False)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BillFault(f"It is not a report: {quoted(str(error))}.") from None
        return page

    def read(self, pages: Iterable[Page[Any]]) -> Reading:
        """All that the pages say."""
        reading = Reading(self.report)
        for page in pages:
            for part in page.data:
                for result in part.results:
                    reading.lines.extend(self.lines(part.day, result))
                reading.days.add(part.day)
        return reading

    def knows(self, result: dict[str, Any]) -> bool:
        """Whether a result, decoded without a type, is one of this report."""
        name, value = self.mark
        return name in result and value in ("", result[name])
