import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from config.connect.clients import SOURCES, filled
from tests.config.site_data import staff
from usage.keys import create_key
from usage.models import APIKey, Membership, UsageEvent
from usage.organizations import ensure_organization

pytestmark = pytest.mark.django_db

PAGE = "/admin/connect/"
DOCS = Path(__file__).parents[2] / "docs/connect.md"


@pytest.fixture
def administrator() -> Client:
    for slug in ("acme", "globex"):
        ensure_organization(slug)
    client = Client()
    client.force_login(staff("adam", "acme", role=Membership.Role.ADMIN))
    return client


def made_by(client: Client, **chosen: str) -> Any:
    return client.post(f"{PAGE}?client=codex", {"organization": "acme", **chosen})


def progress_of(client: Client, key: APIKey) -> dict[str, str]:
    answer = client.get(f"{PAGE}{key.prefix}/status/")
    assert answer["Content-Type"] == "application/json"
    return dict(answer.json())


def test_every_source_has_lines_for_this_site_and_the_guide_has_the_same(
    administrator: Client, settings: Any
) -> None:
    guide = DOCS.read_text()
    for source in SOURCES:
        page = administrator.get(PAGE, {"client": source.slug})
        assert [lines.title for lines in page.context["lines"]] == [
            lines.title for lines in source.lines
        ]
        shown = "\n".join(lines.text for lines in page.context["lines"])
        assert not re.search(r"\{[A-Z]+\}", shown)
        assert ("YOUR_KEY" in shown) is source.needs_key
        assert ("http://testserver/" in shown or "=http://testserver" in shown) is source.needs_key
        assert source.name in page.content.decode()
        for lines in source.lines:
            text = filled(lines, "https://tallyman.example.com", "tm_…", "acme").text
            assert f"\n{text}\n```" in guide, (source.slug, lines.title)
    settings.TALLYMAN_PUBLIC_URL = "https://cost.example.org/"
    page = administrator.get(PAGE, {"client": "opentelemetry"})
    assert "OTLP_ENDPOINT=https://cost.example.org/otlp\n" in page.context["lines"][0].text
    assert administrator.get(PAGE, {"client": "nothing"}).context["source"] is SOURCES[0]


def test_a_key_is_made_once_shown_in_the_lines_and_waits_for_its_first_event(
    administrator: Client, catalogue: None
) -> None:
    page = made_by(administrator)
    key = APIKey.objects.get()
    assert (key.name, key.scopes, key.organization.slug) == ("Connect: Codex", ["ingest"], "acme")
    assert key.expiry_date is not None
    assert timedelta(364) < key.expiry_date - timezone.now() < timedelta(366)
    secret = page.context["secret"]
    assert f"Bearer {secret}" in page.context["lines"][0].text
    assert "no-store" in page["Cache-Control"]
    assert LogEntry.objects.get().object_id == str(key.pk)
    later = administrator.get(f"{PAGE}{key.prefix}/")
    assert secret not in later.content.decode()
    assert "Waiting for the first event" in later.content.decode()
    assert progress_of(administrator, key)["state"] == "waiting"

    program = APIClient(headers={"Authorization": f"Bearer {secret}"})
    refused = program.post("/api/v1/events/", [{"event_id": "e"}], format="json")
    assert refused.status_code == 422
    assert progress_of(administrator, key)["state"] == "quiet"

    now = timezone.now().replace(microsecond=0)
    event = {
        "event_id": "first", "occurred_at": now.isoformat(), "model": "claude-sonnet-4-5",
        "provider": "anthropic", "input_tokens": 1200, "output_tokens": 300,
    }  # fmt: skip
    assert program.post("/api/v1/events/", event, format="json").status_code == 200
    found = progress_of(administrator, key)
    # 1,200 at 3 dollars a million and 300 at 15: 0.0081.
    expected = f"claude-sonnet-4-5 · 1,500 tokens · $0.0081 · {now:%-d %b %H:%M:%S} UTC"
    assert (found["state"], found["detail"]) == ("received", expected)
    assert "first" in administrator.get(found["url"]).content.decode()
    assert expected in administrator.get(f"{PAGE}{key.prefix}/").content.decode()


def test_a_call_that_is_recorded_and_traced_counts_once(
    administrator: Client, catalogue: None
) -> None:
    secret = made_by(administrator).context["secret"]
    program = APIClient(headers={"Authorization": f"Bearer {secret}"})
    now = timezone.now()
    nanoseconds = str(int(now.timestamp()) * 10**9)
    for number, (first, second) in enumerate((("recorded", "traced"), ("traced", "recorded")), 1):
        response_id = f"chatcmpl-B9MBs8CjcvOU2jLn4n570S5q{first}"
        event = {
            "event_id": response_id, "occurred_at": now.isoformat(), "model": "gpt-5",
            "provider": "openai", "input_tokens": 1000, "output_tokens": 100,
        }  # fmt: skip
        words = {
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-5", "gen_ai.response.id": response_id,
            "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100,
        }  # fmt: skip
        told = [
            {"key": name, "value": {"intValue" if isinstance(word, int) else "stringValue": word}}
            for name, word in words.items()
        ]
        span = {
            "traceId": "5b8efff798038103d269b633813fc60c", "spanId": f"{number:016x}",
            "name": "chat gpt-5", "startTimeUnixNano": nanoseconds, "endTimeUnixNano": nanoseconds,
            "attributes": told,
        }  # fmt: skip
        trace = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
        posts = {"recorded": ("/api/v1/events/", [event]), "traced": ("/otlp/v1/traces", trace)}
        for path, body in (posts[first], posts[second]):
            assert program.post(path, body, format="json").status_code in (200, 422)
    assert UsageEvent.objects.filter(state=UsageEvent.State.COUNTED).count() == 2


def test_nobody_makes_or_sees_a_key_of_an_organization_that_is_not_theirs(
    administrator: Client,
) -> None:
    assert made_by(administrator, organization="globex").context["form"].errors
    viewer, stranger, boss = Client(), Client(), Client()
    viewer.force_login(staff("vera", "acme"))
    stranger.force_login(staff("sam"))
    other = staff("root")
    other.is_superuser = True
    other.save()
    boss.force_login(other)
    assert made_by(viewer).status_code == 403
    assert viewer.get(PAGE).status_code == 200
    assert "acme" not in stranger.get(PAGE).content.decode()
    assert (made_by(stranger).status_code, Client().get(PAGE).status_code) == (403, 302)
    assert not APIKey.objects.exists()

    theirs, _ = create_key("globex", ["ingest"], "theirs")
    site, _ = create_key(None, ["ingest"], "site")
    for prefix in (theirs.prefix, site.prefix, "nothing"):
        for path in (f"{PAGE}{prefix}/", f"{PAGE}{prefix}/status/"):
            assert administrator.get(path).status_code == 404
    assert boss.get(f"{PAGE}{theirs.prefix}/").status_code == 200
    assert boss.get(f"{PAGE}{site.prefix}/status/").status_code == 404


def test_the_empty_overview_and_the_sidebar_lead_here(administrator: Client) -> None:
    page = administrator.get("/admin/").content.decode()
    assert page.count(f'href="{PAGE}"') == 2
