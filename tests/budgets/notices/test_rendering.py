import json
from html.parser import HTMLParser

import pytest
from slack_sdk.models.blocks import Block

from budgets.notices.message import Line, Message, Section
from budgets.notices.rendering.html import as_html
from budgets.notices.rendering.payload import MAX_BYTES, as_payload
from budgets.notices.rendering.slack import as_slack
from budgets.notices.rendering.text import as_text
from tests.config.site_data import at

HOSTILE = [
    "<!channel>", "<script>alert(1)</script>", '"><img src=x onerror=y>', "a\r\nBcc: x@example.org",
    "{{ settings.SECRET_KEY }}", "\u202egnp.exe", "&" * 10_000, "x" * 10_000, "\x00\x1b[31m",
    "<https://evil.example|click>", "*_~`", "line\u2028separator",
]  # fmt: skip


def message(name: str = "web", **said: object) -> Message:
    given = {
        "type": "budget.threshold_reached",
        "severity": "warning",
        "title": f"{name}: 80 % of $200 used",
        "summary": f"{name} is at 80 %.",
        "url": "https://cost.example.org/admin/budgets/budget/1/",
        "lines": (Line("Used", name), Line(name, "$160.00")),
        "sections": (
            Section("Sessions", table=(("Session", "Cost"), (name, "$1.00"), ("s2", name))),
            Section(name, lines=(Line(name, name),)),
        ),
        "advice": (f"Look at {name}.",),
        "data": {"budget": {"name": name}, name: [name, 1, None, True]},
    }
    return Message(**{**given, **said})  # type: ignore[arg-type]  # a message in parts


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str | None] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src", "background")]


def test_text_is_what_people_read_in_72_columns() -> None:
    told = message(
        summary="It reached its level of 80 %: $160.08 used of $200. At the rate so far it comes"
        " to $266.80.",
        lines=(Line("Used", "$160.08"), Line("Days left", "12")),
        sections=(Section("Sessions", table=(("Session", "Cost"), ("s1", "$1.00"))),),
    )
    assert as_text(told) == (
        "It reached its level of 80 %: $160.08 used of $200. At the rate so far\n"
        "it comes to $266.80.\n\n"
        "Used       $160.08\n"
        "Days left  12\n\n"
        "What to do\n"
        "----------\n"
        "* Look at web.\n\n"
        "Sessions\n"
        "--------\n"
        "Session   Cost\n"
        "s1       $1.00\n\n"
        "https://cost.example.org/admin/budgets/budget/1/\n"
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text_on_one_short_line(name: str) -> None:
    text = as_text(message(name))
    assert max(map(len, text.splitlines())) <= 72
    assert text.isascii() or all(c.isprintable() or c == "\n" for c in text)
    assert "\nBcc" not in text


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_no_markup_in_html(name: str) -> None:
    page = Page(as_html(message(name)))
    assert not {"script", "img"} & set(page.tags)
    assert set(page.links) == {"https://cost.example.org/admin/budgets/budget/1/"}
    assert page.tags == Page(as_html(message())).tags


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_mention_and_link_nobody_in_slack(name: str) -> None:
    told = as_slack(message(name))
    blocks = told["blocks"]
    # Slack's own models raise where a text is longer than it takes.
    assert [block.to_dict() for block in Block.parse_all(blocks)] == blocks
    marked = [text for text in texts_of(blocks) if text["type"] == "mrkdwn"]
    assert all(text["verbatim"] for text in marked)
    link = "<https://cost.example.org/admin/budgets/budget/1/|Open in Tallyman>"
    assert [text["text"] for text in marked if "<" in text["text"]] == [link]
    assert all(len(field["text"]) <= 2000 for block in blocks for field in block.get("fields", ()))
    assert "<" not in told["text"]
    assert len(json.dumps(told)) < 40_000


def texts_of(blocks: list[dict[str, object]]) -> list[dict[str, str]]:
    found = []
    for block in blocks:
        parts = [block.get("text"), *list(block.get("fields", ()))]  # type: ignore[call-overload]  # JSON
        parts += list(block.get("elements", ()))  # type: ignore[call-overload]  # JSON
        found += [part for part in parts if part]
    return found


def test_a_message_of_too_many_parts_is_cut_to_what_slack_takes() -> None:
    line, row = Line("a" * 500, "&" * 500), ("&" * 500,) * 9
    section = Section("&" * 500, lines=(line,) * 99, table=(row,) * 99)
    told = message(lines=(line,) * 99, sections=(section,) * 99, advice=("&" * 900,) * 99)
    blocks = as_slack(told)["blocks"]
    assert len(blocks) <= 50
    assert [block.to_dict() for block in Block.parse_all(blocks)] == blocks


def test_a_webhook_gets_type_time_and_data() -> None:
    payload = as_payload("0b6e", message(), at(18))
    assert payload["type"] == "budget.threshold_reached"
    assert payload["timestamp"] == "2026-11-18T12:00:00Z"
    assert payload["data"]["notice_id"] == "0b6e"
    assert payload["data"]["title"] == "web: 80 % of $200 used"
    assert payload["data"]["budget"] == {"name": "web"}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_webhook_never_gets_more_than_64_kib(name: str) -> None:
    big = {f"{name}{n}": {"names": [name] * 1000} for n in range(200)}
    for told in (message(name), message(name, data=big)):
        payload = as_payload("0b6e", told, at(18))
        assert len(json.dumps(payload, ensure_ascii=False).encode()) <= MAX_BYTES
        assert payload["data"]["title"]
