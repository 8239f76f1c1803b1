import pytest
from genai_prices.data_units import unit_data

from pricing.meters import METERS, USAGE_KEY_METERS, parts_larger_than_whole


def test_meters_have_the_units_and_wholes_of_the_catalogue() -> None:
    for usage_key, unit in unit_data.items():
        meter = METERS[USAGE_KEY_METERS.get(usage_key, usage_key)]
        dimensions = unit["dimensions"].items()
        wholes = frozenset(
            USAGE_KEY_METERS.get(other, other)
            for other, less in unit_data.items()
            if less["dimensions"].items() < dimensions
        )
        assert (meter.per, meter.wholes) == (unit["per"], wholes), usage_key
        assert meter.side == unit["dimensions"].get("direction", "other"), usage_key


@pytest.mark.parametrize(
    ("counts", "larger"),
    [
        ({"cache_read_tokens": 2, "input_tokens": 1}, ("cache_read_tokens", "input_tokens")),
        ({"cache_read_tokens": 1}, ("cache_read_tokens", "input_tokens")),
        (
            {"input_tokens": 9, "cache_write_tokens": 2, "cache_write_1h_tokens": 3},
            ("cache_write_1h_tokens", "cache_write_tokens"),
        ),
        ({"reasoning_tokens": 5, "output_tokens": 4}, ("reasoning_tokens", "output_tokens")),
        (
            {"input_tokens": 9, "cache_read_tokens": 5, "cache_write_tokens": 5},
            ("cache_read_tokens + cache_write_tokens", "input_tokens"),
        ),
        ({"input_audio_tokens": 4, "input_tokens": 3}, ("input_audio_tokens", "input_tokens")),
        (
            {"input_tokens": 9, "input_audio_tokens": 5, "input_image_tokens": 6},
            ("input_audio_tokens + input_image_tokens", "input_tokens"),
        ),
        (
            {"input_tokens": 9, "cache_audio_read_tokens": 3, "input_audio_tokens": 2}
            | {"cache_read_tokens": 3},
            ("cache_audio_read_tokens", "input_audio_tokens"),
        ),
    ],
)
def test_a_part_larger_than_its_whole_is_named(
    counts: dict[str, int], larger: tuple[str, str]
) -> None:
    assert parts_larger_than_whole(counts) == larger


@pytest.mark.parametrize(
    "counts",
    [
        {},
        {"input_tokens": 5, "cache_read_tokens": 3, "cache_write_tokens": 2},
        {"output_tokens": 5, "reasoning_tokens": 5},
        {"input_audio_seconds": 9},
        {"input_tokens": 9, "cache_read_tokens": 6, "input_audio_tokens": 6},
        {"input_tokens": 1, "a_new_meter": 50},
    ],
)
def test_parts_within_their_wholes_pass(counts: dict[str, int]) -> None:
    assert parts_larger_than_whole(counts) is None
