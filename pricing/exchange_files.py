"""Files of exchange rates: the European Central Bank's XML and CSV, zipped or not, and our CSV.

The bank's files say what one euro buys. Ours has the columns `day,base,quote,rate` in any order.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from xml.parsers import expat

from pricing.exchange import DatedRate, check_rate

MAX_BYTES = 32 * 1024 * 1024
"""The size of the largest file read, unpacked."""

_EURO = "EUR"
_COLUMNS = ("day", "base", "quote", "rate")
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,30})?\Z")
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)


class _Refused(ValueError):
    """A file that breaks a rule at a line."""

    def __init__(self, line: int, rule: str) -> None:
        super().__init__(f"line {line}: {rule}")


def read_rates(data: bytes, name: str) -> list[DatedRate]:
    """The rates of a file, in its order; `name` is only for messages.

    Raises ValueError naming the file, the line and the rule that it breaks; nothing of a file
    with a fault is read.
    """
    try:
        return _read(_unpacked(data))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _unpacked(data: bytes) -> bytes:
    if data.startswith(b"PK\x03\x04"):
        data = _only_member(data)
    if len(data) > MAX_BYTES:
        raise ValueError(f"the file is larger than {MAX_BYTES // 1024**2} MiB")
    return data


def _only_member(data: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.namelist()
            if len(members) != 1:
                raise ValueError(f"the archive holds {len(members)} files, not one")
            with archive.open(members[0]) as member:
                return member.read(MAX_BYTES + 1)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise ValueError(f"the archive cannot be unpacked: {error}") from None


def _read(data: bytes) -> list[DatedRate]:
    if data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        rates = _CubeReader().read(data)
    else:
        rates = list(_csv_rates(data))
    if not rates:
        raise ValueError("the file holds no rates")
    return rates


def _rate(line: int, base: str, quote: str, day: date, text: str) -> DatedRate:
    if not _NUMBER.match(text):
        raise _Refused(line, f"{text[:40]!r} is not a rate such as 1.0845")
    try:
        return check_rate(DatedRate(base, quote, day, Decimal(text)))
    except ValueError as error:
        raise _Refused(line, str(error)) from None


def _day(line: int, text: str) -> date:
    """A day such as 2026-11-20, or 20 November 2026 as the bank writes it in its daily CSV."""
    words = text.lower().split()
    try:
        if len(words) == 3 and words[1] in _MONTHS:
            return date(int(words[2]), _MONTHS.index(words[1]) + 1, int(words[0]))
        return date.fromisoformat(text)
    except ValueError:
        raise _Refused(line, f"{text[:40]!r} is not a day such as 2026-11-20") from None


class _CubeReader:
    """Reads `<Cube time=…>` with its `<Cube currency=… rate=…>`.

    A document type is refused, and with it every entity that could grow or reach out.
    """

    def __init__(self) -> None:
        self._rates: list[DatedRate] = []
        self._day: date | None = None
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype

    def read(self, data: bytes) -> list[DatedRate]:
        """The rates of a whole document."""
        try:
            self._parser.Parse(data, True)
        except expat.ExpatError as error:
            raise _Refused(error.lineno, f"not XML: {expat.ErrorString(error.code)}") from None
        return self._rates

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(" ")[2] != "Cube":
            return
        line = self._parser.CurrentLineNumber
        if "time" in attributes:
            self._day = _day(line, attributes["time"])
        if "currency" in attributes:
            if self._day is None:
                raise _Refused(line, "a rate comes before the first day")
            currency, text = attributes["currency"], attributes.get("rate", "")
            self._rates.append(_rate(line, _EURO, currency, self._day, text))

    def _refuse_doctype(self, *_: object) -> None:
        raise _Refused(self._parser.CurrentLineNumber, "a document type is not allowed")


def _csv_rates(data: bytes) -> Iterator[DatedRate]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _Refused(line, "not UTF-8 text") from None
    lines = _rows(text)
    line, header = next(lines, (1, []))
    names = [cell.lower() for cell in header]
    if names[:1] == ["date"]:
        yield from _bank_rates(header, lines)
    elif sorted(names) == sorted(_COLUMNS):
        yield from _own_rates(names, lines)
    else:
        raise _Refused(
            line,
            f"the columns are neither {','.join(_COLUMNS)} nor those of the European Central Bank",
        )


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if any(row):
                yield reader.line_num, [cell.strip() for cell in row]
    except csv.Error as error:
        raise _Refused(reader.line_num, str(error)) from None


def _own_rates(names: Sequence[str], lines: Iterator[tuple[int, list[str]]]) -> Iterator[DatedRate]:
    for line, row in lines:
        if len(row) != len(names):
            raise _Refused(line, f"{len(row)} cells, not {len(names)}")
        cells = dict(zip(names, row, strict=True))
        day = _day(line, cells["day"])
        yield _rate(line, cells["base"], cells["quote"], day, cells["rate"])


def _bank_rates(
    header: Sequence[str], lines: Iterator[tuple[int, list[str]]]
) -> Iterator[DatedRate]:
    # Lines of the bank's files end with a comma.
    names = header if header[-1] else header[:-1]
    for line, row in lines:
        if any(row[len(names) :]):
            raise _Refused(line, f"{len(row)} cells, but only {len(names)} columns")
        day = _day(line, row[0])
        for currency, text in zip(names[1:], row[1:], strict=False):
            if text not in ("", "N/A"):
                yield _rate(line, _EURO, currency, day, text)
