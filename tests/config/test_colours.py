import math
import re
from itertools import combinations
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from config.dashboards.colours import OTHER, colours_of
from tests.config.vision import SIGHTS, difference, luminance, seen_as

# Differences of CIEDE2000 below 2 are not seen, those of 10 and more are seen at a glance: what
# two thin segments of a bar need, and two squares of a legend that lie apart.
AT_A_GLANCE = 10
# WCAG 2.2, 1.4.11: what a graphic needs against the page to be seen.
GRAPHIC_CONTRAST = 3


def themes() -> dict[str, dict[str, str]]:
    path = finders.find("tallyman/tallyman.css")
    assert isinstance(path, str)
    text = Path(path).read_text(encoding="utf-8")
    blocks = re.findall(r"^([^{}\n]+?(?:\{ :root)?) \{\n(.*?)^\}", text, re.DOTALL | re.MULTILINE)
    return {
        selector.strip(): dict(re.findall(r"--([\w-]+): (#[0-9a-f]+);", body))
        for selector, body in blocks
        if "--tm-c1" in body
    }


def palettes() -> dict[str, tuple[str, list[str]]]:
    return {
        selector: (tokens.get("body-bg", "#ffffff"), [tokens[f"tm-c{n}"] for n in range(1, 7)])
        for selector, tokens in themes().items()
    }


def test_the_dark_theme_is_the_same_chosen_or_followed() -> None:
    light, *dark = themes().values()

    assert len(dark) == 2
    assert dark[0] == dark[1]
    assert light != dark[0]


@pytest.mark.parametrize("sight", SIGHTS)
def test_the_colours_of_a_chart_are_told_apart_by_every_kind_of_sight(sight: str) -> None:
    for background, colours in palettes().values():
        seen = [seen_as(colour, sight) for colour in colours]
        for one, other in combinations(range(OTHER), 2):
            found = difference(seen[one], seen[other])
            assert found >= AT_A_GLANCE, (background, one + 1, other + 1, found)


def test_every_colour_of_a_chart_stands_out_from_its_card() -> None:
    for background, colours in palettes().values():
        for colour in colours:
            light, dark = sorted((luminance(background), luminance(colour)), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= GRAPHIC_CONTRAST, (background, colour)


def test_differences_are_those_of_the_standards_own_examples() -> None:
    # From the test data of Sharma, Wu and Dalal, 2005.
    for one, other, expected in (
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((6.7747, -0.2908, -2.4247), (5.8714, -0.0985, -2.2286), 0.6377),
    ):
        assert math.isclose(difference(one, other), expected, abs_tol=0.0001)


def test_colours_are_distinct_and_independent_of_order() -> None:
    names = ["gpt-5", "claude-sonnet-4-5", "claude-opus-4-5", "gemini-2.5-flash", "o4-mini"]

    colours = colours_of(names)

    assert sorted(colours.values()) == [1, 2, 3, 4, 5]
    assert colours_of(reversed(names)) == colours
    assert colours_of(["new", "gpt-5"], colours)["gpt-5"] == colours["gpt-5"]
