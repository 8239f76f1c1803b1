import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from pricing.models import PriceChange
from pricing.publishing import contracted_card


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    call_command("prices", *words)
    return capsys.readouterr().out


def test_sync_says_what_it_did(catalogue: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("prices", "sync")
    assert re.fullmatch(r"prices: 0 added, 0 closed, \d,\d{3} unchanged\n", capsys.readouterr().out)


def test_list_shows_prices_and_their_long_context_steps(
    catalogue: None, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = told(capsys, "list", "--provider", "anthropic", "--model", "sonnet-4-5")
    assert re.search(
        r"claude-sonnet-4-5 .*output_tokens .* 15 USD; above 200,000: 22\.5 .* always"
        r" +catalogue +genai-prices",
        shown,
    )
    assert "gpt" not in shown


def test_list_without_a_match_fails_in_one_line(catalogue: None) -> None:
    with pytest.raises(CommandError) as failure:
        call_command("prices", "list", "--model", "no such model")
    assert "\n" not in str(failure.value)
    assert failure.value.returncode == 1


@pytest.mark.parametrize("words", [[], ["sync", "--source", "nowhere"], ["bake"]])
def test_bad_usage_is_refused(words: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("prices", *words)


M1 = ("--provider", "shop", "--model", "m-1")


@pytest.mark.django_db
def test_set_states_prices_once(capsys: pytest.CaptureFixture[str]) -> None:
    words = (
        "set", *M1, "--input", "3", "--output", "8.03", "--cache-write-1h", "6", "--meter",
        "web_searches=10000", "--currency", "EUR", "--from", "2026-11-01", "--reason", "new list",
    )  # fmt: skip
    assert told(capsys, *words) == "prices: 4 set from 2026-11-01 00:00 UTC on\n"
    assert told(capsys, *words) == "prices: unchanged\n"
    shown = told(capsys, "list", "--provider", "shop")
    assert re.search(r"output_tokens +8\.03 EUR +1,000,000 +2026-11-01 +manual +command", shown)
    change = PriceChange.objects.filter(action="update_ai_pricing").earliest("id")
    assert (change.actor, change.reason, change.count) == ("prices set", "new list", 4)


@pytest.mark.django_db
def test_set_reads_prices_of_a_file_as_configuration(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("provider,model,meter,unit_price,currency\nollama,l,input_tokens,0,USD\n")
    assert told(capsys, "set", "--file", str(path)) == "prices: 1 set for all time\n"
    assert told(capsys, "set", "--file", str(path)) == "prices: unchanged\n"


@pytest.mark.django_db
def test_set_warns_of_a_price_far_off_and_knows_other_cards(
    capsys: pytest.CaptureFixture[str],
) -> None:
    contracted_card("acme contract")
    card = ("--card", "acme contract")
    told(capsys, "set", *M1, *card, "--input", "3")
    assert "warning: shop/m-1 input_tokens goes" in told(capsys, "set", *M1, *card, "--input", "40")


@pytest.mark.django_db
def test_alias_gives_a_model_a_further_name(capsys: pytest.CaptureFixture[str]) -> None:
    told(capsys, "set", *M1, "--input", "3")
    words = ("alias", *M1, "--name", "our-", "--kind", "prefix")
    assert told(capsys, *words) == "prefix our- now means shop/m-1\n"
    assert told(capsys, *words) == "prefix our- means already shop/m-1\n"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("set",), 2),
        (("set", *M1), 2),
        (("set", "--provider", "shop", "--input", "3"), 2),
        (("set", *M1, "--input", "3", "--file", "x.csv"), 2),
        (("set", "--file", "no-such.csv"), 1),
        (("set", *M1, "--input", "-3"), 1),
        (("set", *M1, "--input", "3", "--card", "no such"), 1),
        (("set", *M1, "--input", "3", "--currency", "dollars"), 1),
        (("alias", *M1, "--name", "x"), 1),
    ],
)
def test_what_cannot_be_set_is_told_in_one_line(words: tuple[str, ...], code: int) -> None:
    with pytest.raises(CommandError) as failure:
        call_command("prices", *words)
    assert "\n" not in str(failure.value)
    assert failure.value.returncode == code
