from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from tests.usage.conftest import NOON, event
from tests.usage.summaries import golden_session, read, refused, store
from usage.formats import rounded
from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller
from usage.ingest.prepare import Tenancy
from usage.organizations import ensure_organization
from usage.selectors.access import EVERYTHING, Viewer
from usage.selectors.episode_figures import figures_of
from usage.selectors.episodes import EpisodeKind, dearest_episodes, find_episode
from usage.selectors.questions import QuestionError

pytestmark = pytest.mark.django_db

NOVEMBER = (date(2026, 11, 1), date(2026, 12, 1))
LINE = "$5.31 · 850.0 k tokens · 42 calls · claude-sonnet-4-5\n"


@pytest.fixture
def golden(caller: Caller) -> Caller:
    store(caller, *golden_session())
    return caller


@pytest.fixture
def elsewhere(catalogue: None) -> Caller:
    return Caller(Tenancy(tenant_of(ensure_organization("globex")), {}))


def test_the_figures_of_the_golden_session(golden: Caller) -> None:
    session = find_episode(EVERYTHING, EpisodeKind.SESSION, "golden")
    assert session is not None
    sums = session.sums
    assert (sums.input_cost, sums.output_cost, sums.cost) == (
        Decimal("1.86"), Decimal("3.45"), Decimal("5.31"),
    )  # fmt: skip
    figures = figures_of(session)
    assert figures.duration_ms == 83 * 60_000

    def shown(value: Decimal | None, places: int = 0) -> str:
        assert value is not None
        return str(rounded(value, places))

    assert (shown(figures.tokens_per_call), shown(figures.tokens_per_minute)) == ("20238", "10241")
    assert (shown(figures.cost_per_call, 2), shown(figures.cost_per_minute, 2)) == ("0.13", "0.06")
    assert (shown(figures.input_share), shown(figures.output_share)) == ("73", "27")
    assert (shown(figures.prompt_cost_share), shown(figures.completion_cost_share)) == ("35", "65")


def test_a_single_call_has_no_figures_per_minute(caller: Caller) -> None:
    store(caller, event("a", run_id="r"), event("b", run_id="free", model="nobody-knows-9"))
    run = find_episode(EVERYTHING, EpisodeKind.RUN, "r")
    assert run is not None
    figures = figures_of(run)
    assert (figures.tokens_per_minute, figures.cost_per_minute) == (None, None)
    assert (figures.tokens_per_call, figures.cost_per_call) == (Decimal(1100), Decimal("0.0045"))
    unpriced = find_episode(EVERYTHING, EpisodeKind.RUN, "free")
    assert unpriced is not None
    figures = figures_of(unpriced)
    assert (figures.cost_per_call, figures.prompt_cost_share) == (None, None)


def test_an_episode_is_named_by_its_latest_owner_and_dearest_kind_of_call(caller: Caller) -> None:
    store(
        caller,
        event("a", run_id="r", run_trigger="push", model="claude-opus-4-1"),
        event(
            "b", run_id="r", project="api", subject="bob", status="error",
            occurred_at=NOON + timedelta(hours=1),
        ),
    )  # fmt: skip
    run = find_episode(EVERYTHING, EpisodeKind.RUN, "r")
    assert run is not None
    assert (run.organization, run.project, run.subject) == ("acme", "api", "bob")
    assert (run.provider, run.model, run.run_trigger) == ("anthropic", "claude-opus-4-1", "push")
    assert (run.status, run.duration_ms) == ("partial", 3_600_000)


@pytest.mark.parametrize(
    ("zone", "events"), [("UTC", 2), ("Asia/Kathmandu", 3), ("America/New_York", 1)]
)
def test_the_dearest_have_the_sums_of_the_period_alone(
    caller: Caller, zone: str, events: int
) -> None:
    moments = [datetime(2026, 11, 1, 3, tzinfo=UTC), datetime(2026, 10, 31, 20, tzinfo=UTC)]
    store(
        caller,
        event("now", session_id="s"),
        *(event(f"e{i}", session_id="s", occurred_at=at) for i, at in enumerate(moments)),
        event("one", session_id="small", output_tokens=1),
        event("none", output_tokens=99_999),
    )
    found = dearest_episodes(EVERYTHING, EpisodeKind.SESSION, *NOVEMBER, time_zone=zone)
    assert [(episode.id, episode.sums.events) for episode in found] == [("s", events), ("small", 1)]
    assert found[0].started_at == moments[1]
    for wanted, ids in (({"project": ["web"]}, ["s"]), ({"project": ["api"]}, [])):
        asked = dearest_episodes(
            EVERYTHING, EpisodeKind.SESSION, *NOVEMBER, time_zone=zone, filters=wanted, limit=1
        )
        assert [episode.id for episode in asked] == ids


def test_sessions_of_the_same_id_are_kept_apart(golden: Caller, elsewhere: Caller) -> None:
    store(elsewhere, event("x", session_id="golden"), event("y", session_id="theirs"))
    with pytest.raises(QuestionError) as refusal:
        find_episode(EVERYTHING, EpisodeKind.SESSION, "golden")
    assert (refusal.value.field, refusal.value.code) == ("organization", "ambiguous")
    theirs = find_episode(EVERYTHING, EpisodeKind.SESSION, "golden", "globex")
    assert theirs is not None
    assert theirs.sums.events == 1
    viewer = Viewer(frozenset([golden.tenancy.own.id] if golden.tenancy.own else []))
    assert find_episode(viewer, EpisodeKind.SESSION, "theirs") is None
    mine = find_episode(viewer, EpisodeKind.SESSION, "golden")
    assert mine is not None
    assert mine.sums.events == 42
    both = dearest_episodes(EVERYTHING, EpisodeKind.SESSION, *NOVEMBER, time_zone="UTC")
    assert [(episode.organization, episode.id) for episode in both] == [
        ("acme", "golden"), ("globex", "golden"), ("globex", "theirs"),
    ]  # fmt: skip


def test_a_session_is_shown_with_models_averages_and_shares(
    golden: Caller, client: APIClient
) -> None:
    answer = read(client, "sessions/golden/")
    assert answer["cost"] == {
        "total": "5.3100000000", "tokens": 850_000, "model": "claude-sonnet-4-5", "api_calls": 42,
    }  # fmt: skip
    assert answer["averages"] == {
        "tokens_per_call": "20238.10",
        "cost_per_call": "0.1264285714",
        "tokens_per_minute": "10240.96",
        "cost_per_minute": "0.0639759036",
    }
    assert answer["shares"] == {
        "input_tokens_percent": 72.94, "output_tokens_percent": 27.06,
        "input_cost_percent": 35.03, "output_cost_percent": 64.97,
    }  # fmt: skip
    assert (answer["session_id"], answer["organization"], answer["project"]) == (
        "golden", "acme", "web",
    )  # fmt: skip
    assert (answer["started_at"], answer["ended_at"], answer["duration_ms"]) == (
        "2026-11-20T08:00:00Z", "2026-11-20T09:23:00Z", 4_980_000,
    )  # fmt: skip
    (model,) = answer["models"]
    assert (model["model"], model["cost"], model["percent_of_total"]) == (
        "claude-sonnet-4-5", answer["totals"]["cost"], 100,
    )  # fmt: skip
    assert answer["totals"]["events"] == 42
    listed = client.get(answer["events"]).json()["results"]
    assert len(listed) == 42


def test_a_session_of_two_models_shows_the_part_of_each(caller: Caller, client: APIClient) -> None:
    store(
        caller,
        event("a", session_id="s"),
        event("b", session_id="s", model="claude-opus-4-1"),
        event("c", session_id="s", model="nobody-knows-9"),
    )
    answer = read(client, "sessions/s")
    assert [(row["model"], row["percent_of_total"]) for row in answer["models"]] == [
        ("claude-opus-4-1", 83.33), ("claude-sonnet-4-5", 16.67), ("nobody-knows-9", 0),
    ]  # fmt: skip
    assert (answer["cost"]["model"], answer["unpriced_events"]) == ("claude-opus-4-1", 1)
    assert answer["averages"]["cost_per_call"] == "0.0135000000"


def test_a_session_is_one_line_for_a_prompt_in_one_cheap_read(
    golden: Caller, client: APIClient
) -> None:
    store(golden, event("u", session_id="mixed"), event("v", session_id="mixed", model="odd-1"))
    store(golden, event("w", session_id="odd", model="odd-1"))
    client.get("/api/v1/sessions/golden/", {"format": "line"})
    with CaptureQueriesContext(connection) as queries:
        response = client.get("/api/v1/sessions/golden/", {"format": "line"})
    assert (response.content.decode(), response.headers["Content-Type"]) == (
        LINE, "text/plain; charset=utf-8",
    )  # fmt: skip
    # The key, the session, its project and the budgets that bind it.
    assert len(queries) == 5
    lines = {
        name: client.get(f"/api/v1/sessions/{name}/?format=line").content.decode()
        for name in ("mixed", "odd")
    }
    assert lines["mixed"] == "<$0.01 + 1 unpriced · 2,200 tokens · 2 calls · claude-sonnet-4-5\n"
    assert lines["odd"] == "unpriced · 1,100 tokens · 1 call · odd-1\n"
    assert client.get("/api/v1/sessions/none/?format=line").status_code == 404


def test_a_run_shows_its_trigger_and_has_no_session_metadata(
    caller: Caller, client: APIClient
) -> None:
    store(caller, event("a", run_id="ci/7 x", run_trigger="push", status="error"))
    answer = read(client, "runs/ci/7 x/")
    assert (answer["run_id"], answer["run_trigger"], answer["status"]) == (
        "ci/7 x",
        "push",
        "error",
    )
    assert "cost" not in answer
    assert answer["averages"]["tokens_per_minute"] is None


@pytest.mark.parametrize("path", ["sessions", "runs"])
def test_episodes_of_others_do_not_exist(
    golden: Caller,
    elsewhere: Caller,
    client: APIClient,
    client_for: Callable[..., APIClient],
    path: str,
) -> None:
    store(elsewhere, event("x", session_id="theirs", run_id="theirs"))
    store(elsewhere, event("y", session_id="both", run_id="both"))
    store(golden, event("z", session_id="both", run_id="both"))
    for asked in (f"{path}/theirs/", f"{path}/nothing/", f"{path}/both/?organization=globex"):
        assert client.get(f"/api/v1/{asked}").status_code == 404
    assert read(client, f"{path}/both/")["organization"] == "acme"
    site = client_for(None)
    assert refused(site, f"{path}/both/") == ("organization", "ambiguous")
    assert read(site, f"{path}/both/", organization="globex")["organization"] == "globex"
    assert refused(client, f"{path}/both/", colour="red") == ("colour", "unknown")
