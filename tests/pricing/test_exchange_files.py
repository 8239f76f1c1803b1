import io
import zipfile
from datetime import date
from decimal import Decimal

import pytest

from pricing import exchange_files
from pricing.exchange import DatedRate
from pricing.exchange_files import read_rates
from tests.pricing.exchange_samples import DAILY_CSV, DAILY_XML, HISTORY_CSV, HISTORY_XML

FRIDAY, THURSDAY = date(2026, 11, 20), date(2026, 11, 19)
DOLLARS = DatedRate("EUR", "USD", FRIDAY, Decimal("1.0860"))
YEN = DatedRate("EUR", "JPY", FRIDAY, Decimal("168.45"))
DOLLARS_BEFORE = DatedRate("EUR", "USD", THURSDAY, Decimal("1.08"))


def zipped(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "rates"),
    [
        (DAILY_XML, [DOLLARS, YEN]),
        (b"\xef\xbb\xbf\n" + DAILY_XML.partition(b"\n")[2], [DOLLARS, YEN]),
        (HISTORY_XML, [DOLLARS, YEN, DOLLARS_BEFORE]),
        (DAILY_CSV, [DOLLARS, YEN]),
        (HISTORY_CSV, [DOLLARS, YEN, DOLLARS_BEFORE]),
        (HISTORY_CSV.replace(b"\n", b"\r\n"), [DOLLARS, YEN, DOLLARS_BEFORE]),
        (zipped(("eurofxref-hist.csv", HISTORY_CSV)), [DOLLARS, YEN, DOLLARS_BEFORE]),
        (zipped(("eurofxref.xml", DAILY_XML)), [DOLLARS, YEN]),
        (
            b"\xef\xbb\xbfday,base,quote,rate\n2026-11-20, EUR ,USD,1.0860\n\n",
            [DOLLARS],
        ),
        (b"rate,quote,base,day\n1.0860,USD,EUR,2026-11-20\n", [DOLLARS]),
    ],
)
def test_every_kind_of_file_is_read(data: bytes, rates: list[DatedRate]) -> None:
    assert read_rates(data, "rates") == rates


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "line 1: the columns are neither day,base,quote,rate nor"),
        (b"day,base,quote\n", "line 1: the columns are neither"),
        (b"day,base,quote,rate\n", "the file holds no rates"),
        (b"day,base,quote,rate\n2026-11-20,EUR,USD\n", "line 2: 3 cells, not 4"),
        (b"day,base,quote,rate\n20.11.2026,EUR,USD,1\n", "line 2: '20.11.2026' is not a day"),
        (b"day,base,quote,rate\n2026-11-20,EUR,USD,1,08\n", "line 2: 5 cells, not 4"),
        (b'day,base,quote,rate\n2026-11-20,EUR,USD,"1,08"\n', "line 2: '1,08' is not a rate"),
        (b"day,base,quote,rate\n2026-11-20,EUR,USD,1e3\n", "line 2: '1e3' is not a rate"),
        (b"day,base,quote,rate\n2026-11-20,EUR,USD,nan\n", "line 2: 'nan' is not a rate"),
        (b"day,base,quote,rate\n2026-11-20,EUR,USD,0\n", "line 2: a rate is more than 0"),
        (b"day,base,quote,rate\n2026-11-20,EUR,EUR,1\n", "line 2: EUR has no rate to itself"),
        (b"day,base,quote,rate\n2026-11-20,EUR,usd,1\n", "line 2: 'usd' is not a currency"),
        (
            b"day,base,quote,rate\n2026-11-20,EUR,USD,1\n2026-11-20,EUR,CHF,0.1234567890123\n",
            "line 3: a rate has at most 12 decimals",
        ),
        (b"Date,USD,\n2026-11-20,1.08,1.09\n", "line 2: 3 cells, but only 2 columns"),
        (b"day,base,quote,rate\n2026-11-20,EUR,USD,1\n\xff", "line 3: not UTF-8 text"),
        (b'day,base,quote,rate\n2026-11-20,"EUR,USD,1', "line 2: unexpected end of data"),
        (DAILY_XML[:-5], "line 14: not XML"),
        (DAILY_XML.replace(b"1.0860", b""), "line 10: '' is not a rate"),
        (DAILY_XML.replace(b" time='2026-11-20'", b""), "line 10: a rate comes before"),
        (b"<a><b/></a>", "the file holds no rates"),
        (b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>', "line 1: a document type is not allowed"),
        (b"PK\x03\x04 nothing", "the archive cannot be unpacked"),
        (zipped(("a.csv", b""), ("b.csv", b"")), "the archive holds 2 files, not one"),
    ],
)
def test_a_fault_is_told_with_file_line_and_rule(data: bytes, fault: str) -> None:
    with pytest.raises(ValueError, match=r"^rates\.x: ") as refusal:
        read_rates(data, "rates.x")
    message = str(refusal.value).removeprefix("rates.x: ")
    assert message.startswith(fault)
    assert "\n" not in message


def test_a_file_that_unpacks_to_more_than_the_limit_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exchange_files, "MAX_BYTES", 1024**2)
    bomb = zipped(("bomb.csv", bytes(1024**2 + 1)))
    assert len(bomb) < 10_000
    with pytest.raises(ValueError, match="larger than 1 MiB"):
        read_rates(bomb, "bomb")
