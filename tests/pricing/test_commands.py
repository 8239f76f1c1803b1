import re

import pytest
from django.core.management import CommandError, call_command


def test_sync_says_what_it_did(catalogue: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("prices", "sync")
    assert re.fullmatch(r"prices: 0 added, 0 closed, \d,\d{3} unchanged\n", capsys.readouterr().out)


def test_list_shows_prices_and_their_long_context_steps(
    catalogue: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    call_command("prices", "list", "--provider", "anthropic", "--model", "sonnet-4-5")
    shown = capsys.readouterr().out
    assert re.search(r"claude-sonnet-4-5 .*output_tokens .* 15 USD; above 200,000: 22\.5", shown)
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
