"""Files of prices: the JSON that `PUT /prices/` takes, or CSV with the same names as columns."""

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from pricing.api.bodies import MalformedBody, read_prices
from pricing.publishing import PriceError, PriceFault, PriceItem

MAX_FILE_BYTES = 16 * 1024 * 1024
COLUMNS = (
    "provider", "model", "meter", "unit_price", "currency", "per", "service_tier",
    "effective_from", "tiers", "graduated", "reason",
)  # fmt: skip
_BARE_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_YES, _NO = ("1", "true", "yes"), ("0", "false", "no")


def read_price_file(path: Path) -> list[PriceItem]:
    """The prices of a file, by its ending `.json` or `.csv`.

    In CSV an empty cell is a field that is not given, a bare day begins at midnight UTC, and
    tiers are written `200000:22.5; 400000:30`. Raises OSError, or ValueError (PriceError counts
    rows from 0, without the heading).
    """
    data = path.read_bytes()
    if len(data) > MAX_FILE_BYTES:
        raise MalformedBody(f"The file is over {MAX_FILE_BYTES} bytes.")
    if path.suffix.lower() == ".json":
        return read_prices(data)
    if path.suffix.lower() != ".csv":
        raise MalformedBody("A price file ends in .json or .csv.")
    return read_prices(msgspec.json.encode({"prices": _rows(data)}))


def _rows(data: bytes) -> list[dict[str, Any]]:
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        unknown = set(reader.fieldnames or ()) - set(COLUMNS)
        if unknown:
            raise MalformedBody(f"There is no column {min(unknown)!r}.")
        return [_row(number, row) for number, row in enumerate(reader)]
    except UnicodeDecodeError as error:
        raise MalformedBody("The file is not UTF-8.") from error
    except csv.Error as error:
        raise MalformedBody(f"The file is not CSV: {error}.") from error


def _row(number: int, cells: Mapping[str | None, Any]) -> dict[str, Any]:
    if None in cells:
        raise PriceError(
            PriceFault("prices", "invalid", "There are more cells than columns.", number)
        )
    row: dict[str, Any] = {
        str(name): cell.strip() for name, cell in cells.items() if cell and cell.strip()
    }
    if row.get("per", "").isdigit():
        row["per"] = int(row["per"])
    if _BARE_DAY.fullmatch(row.get("effective_from", "")):
        row["effective_from"] += "T00:00:00Z"
    if row.get("graduated", "").lower() in (*_YES, *_NO):
        row["graduated"] = row["graduated"].lower() in _YES
    if "tiers" in row:
        row["tiers"] = [_tier(number, text) for text in row["tiers"].split(";")]
    return row


def _tier(number: int, text: str) -> dict[str, Any]:
    above, _, unit_price = (part.strip() for part in text.partition(":"))
    if not (above.isascii() and above.isdigit() and len(above) < 19):
        message = "Tiers are written as in 200000:22.5; 400000:30."
        raise PriceError(PriceFault("tiers", "invalid", message, number))
    return {"above": int(above), "unit_price": unit_price}
