from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pricing.price_files import read_price_file
from pricing.publishing import PriceItem

HEADING = "provider,model,meter,unit_price,currency,effective_from,tiers,graduated,per\n"


def written(folder: Path, text: str, name: str = "prices.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_cells_become_fields_and_empty_ones_are_not_given(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        HEADING
        + "shop,m-1,input_tokens,8.03,EUR,2026-11-01,200000:9.5; 400000:10,yes,\n"
        + "shop,m-1,web_searches,10,EUR,,,,1000\n",
    )
    november = datetime(2026, 11, 1, tzinfo=UTC)
    assert read_price_file(path) == [
        PriceItem(
            "shop", "m-1", "input_tokens", Decimal("8.03"), "EUR", effective_from=november,
            tiers=((200_000, Decimal("9.5")), (400_000, Decimal(10))), graduated=True,
        ),
        PriceItem("shop", "m-1", "web_searches", Decimal(10), "EUR", per=1000),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEADING + "shop,m-1,input_tokens,cheap,EUR,,,,\n", r"prices\[0\]\.unit_price"),
        (HEADING + "shop,,input_tokens,1,EUR,,,,\n", r"prices\[0\]\.model: This field is required"),
        (HEADING + "shop,m-1,input_tokens,1,EUR,,200k:1,,\n", r"prices\[0\]\.tiers"),
        (HEADING + "shop,m-1,input_tokens,1,EUR,,,,many\n", r"prices\[0\]\.per"),
        (HEADING + "shop,m-1,input_tokens,1,EUR,,,perhaps,\n", r"prices\[0\]\.graduated"),
        (HEADING + "shop,m-1,input_tokens,1,EUR,,,,,,\n", r"prices\[0\].*more cells"),
        ("provider,colour\nx,red\n", "no column 'colour'"),
        ('a"b\n"', "not CSV|no column"),
    ],
)
def test_a_wrong_cell_is_named_with_its_row(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read_price_file(written(tmp_path, text))


def test_json_is_what_the_interface_takes(tmp_path: Path) -> None:
    text = (
        '{"prices": [{"provider": "shop", "model": "m", "meter": "x", "unit_price": 0.1,'
        ' "currency": "USD"}]}'
    )
    items = read_price_file(written(tmp_path, text, "prices.json"))
    assert items == [PriceItem("shop", "m", "x", Decimal("0.1"), "USD")]
    for name, wrong in (("prices.json", "{"), ("prices.txt", text)):
        with pytest.raises(ValueError, match=r"JSON|ends in"):
            read_price_file(written(tmp_path, wrong, name))
