from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from tests.usage.conftest import NOON, body, event
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.values import Report
from usage.models import (
    CallKind,
    DirtyMark,
    EventKey,
    Organization,
    Project,
    Subject,
    UsageEvent,
)
from usage.signals import events_stored

pytestmark = pytest.mark.django_db


def statuses(report: Report) -> list[str]:
    return [receipt.status for receipt in report.results]


def test_an_event_is_stored_priced_and_marked_for_roll_up(caller: Caller) -> None:
    report = ingest(
        [event(session_id="s1", run_id="r1", duration_ms=7, tags={"env": "ci"})], caller
    )

    assert statuses(report) == ["accepted"]
    assert report.results[0].cost == "0.0045000000"
    stored = UsageEvent.objects.select_related("kind", "project", "subject").get()
    assert stored.cost == Decimal("0.0045")
    assert (stored.input_cost, stored.output_cost) == (Decimal("0.003"), Decimal("0.0015"))
    assert stored.price_version is not None
    assert stored.kind.model == "claude-sonnet-4-5"
    assert (stored.project.slug, stored.subject.key) == ("web", "ann")  # type: ignore[union-attr]
    assert (stored.session_id, stored.run_id, stored.duration_ms) == ("s1", "r1", 7)
    assert stored.tags == {"env": "ci"}
    assert list(DirtyMark.objects.values_list("bucket", flat=True)) == [NOON]


def test_the_same_event_again_is_a_duplicate_and_counts_once(caller: Caller) -> None:
    ingest([event()], caller)

    assert statuses(ingest([event()], caller)) == ["duplicate"]
    assert UsageEvent.objects.count() == EventKey.objects.count() == 1


def test_the_same_id_with_another_payload_is_a_conflict_even_in_another_month(
    caller: Caller,
) -> None:
    ingest([event()], caller)

    report = ingest([event(occurred_at=NOON - timedelta(days=60))], caller)

    assert statuses(report) == ["conflict"]
    assert report.results[0].errors[0].code == "conflict"
    assert UsageEvent.objects.get().occurred_at == NOON


def test_repeats_within_one_batch_are_told_apart(caller: Caller) -> None:
    report = ingest([event("a"), event("a"), event("a", input_tokens=9), event("b")], caller)

    assert statuses(report) == ["accepted", "duplicate", "conflict", "accepted"]
    assert (report.accepted, report.duplicates, report.conflicts) == (2, 1, 1)


def test_the_same_moment_in_another_offset_and_key_order_is_the_same_event(
    client: APIClient,
) -> None:
    client.post("/api/v1/events/", body(tags={"a": "1", "b": "2"}), format="json")

    again = body(occurred_at="2026-11-20T13:00:00+01:00", tags={"b": "2", "a": "1"})
    answer = client.post("/api/v1/events/", again, format="json")

    assert answer.json()["duplicates"] == 1


def test_organizations_do_not_share_event_ids(client_for: Callable[..., APIClient]) -> None:
    assert client_for("acme").post("/api/v1/events/", body(), format="json").json()["accepted"]
    assert client_for("globex").post("/api/v1/events/", body(), format="json").json()["accepted"]


def test_an_unknown_model_is_unpriced_and_never_zero(caller: Caller) -> None:
    report = ingest([event(model="nobody-knows-9")], caller)

    assert (report.accepted, report.unpriced) == (1, 1)
    assert report.results[0].cost is None
    stored = UsageEvent.objects.get()
    assert stored.cost is None
    assert stored.price_version is None


def test_a_price_in_another_currency_is_not_taken_for_the_ledgers(
    caller: Caller, settings: Settings
) -> None:
    settings.TALLYMAN_CURRENCY = "EUR"

    report = ingest([event()], caller)

    assert (report.unpriced, report.results[0].cost, report.results[0].currency) == (1, None, "EUR")


def test_usage_of_meters_the_price_does_not_mention_is_unpriced(caller: Caller) -> None:
    embedding = {"provider": "openai", "model": "text-embedding-3-small"}

    report = ingest(
        [
            event("a", **embedding, input_tokens=0, output_tokens=50),
            event("b", **embedding, input_tokens=50, output_tokens=0),
        ],
        caller,
    )

    assert [receipt.cost for receipt in report.results] == [None, "0.0000010000"]


def test_free_tier_events_cost_zero_and_are_kept_apart(caller: Caller) -> None:
    report = ingest([event(free_tier=True)], caller)

    assert report.results[0].cost == "0.0000000000"
    assert CallKind.objects.get().free_tier is True


def test_the_model_that_answered_decides_the_price(caller: Caller) -> None:
    report = ingest([event(model="my-deployment", response_model="claude-sonnet-4-5")], caller)

    assert report.results[0].cost == "0.0045000000"


def test_the_provider_is_filled_in_when_the_model_tells(caller: Caller) -> None:
    ingest([event(provider="")], caller)

    assert CallKind.objects.get().provider == "anthropic"


def test_a_subject_object_fills_in_the_profile_and_is_the_same_event(client: APIClient) -> None:
    profile = {"key": "ann", "email": "ann@acme.test", "display_name": "Ann"}

    client.post("/api/v1/events/", body(), format="json")
    answer = client.post("/api/v1/events/", body(subject=profile), format="json")

    assert answer.json()["duplicates"] == 1
    ann = Subject.objects.get()
    assert (ann.key, ann.email, ann.display_name) == ("ann", "ann@acme.test", "Ann")


def test_a_closed_organization_refuses_subjects_it_does_not_know(
    client_for: Callable[..., APIClient],
) -> None:
    client = client_for("acme")
    client.post("/api/v1/events/", body("a"), format="json")
    Organization.objects.update(subject_policy=Organization.SubjectPolicy.KNOWN)

    answer = client.post(
        "/api/v1/events/", [body("b"), body("c", subject="stranger")], format="json"
    ).json()

    assert [r["status"] for r in answer["results"]] == ["accepted", "rejected"]
    assert answer["results"][1]["errors"][0]["code"] == "unknown_subject"
    assert not Subject.objects.filter(key="stranger").exists()


def test_strict_handling_stores_all_or_nothing(client: APIClient) -> None:
    batch = [body("a"), body("b", input_tokens=-1)]

    answer = client.post(
        "/api/v1/events/", batch, format="json", headers={"Prefer": "handling=strict"}
    )

    assert answer.status_code == 422
    assert {e["code"] for e in answer.json()["errors"]} == {"negative", "batch_refused"}
    assert not UsageEvent.objects.exists()
    assert not EventKey.objects.exists()


def test_strict_handling_accepts_duplicates_but_no_conflict(client: APIClient) -> None:
    strict = {"Prefer": "handling=strict"}
    client.post("/api/v1/events/", body("a"), format="json")

    good = client.post("/api/v1/events/", [body("a"), body("b")], format="json", headers=strict)
    bad = client.post(
        "/api/v1/events/", [body("c"), body("a", input_tokens=3)], format="json", headers=strict
    )

    assert (good.json()["accepted"], good.json()["duplicates"]) == (1, 1)
    assert bad.status_code == 422
    assert [r["status"] for r in bad.json()["results"]] == ["rejected", "conflict"]
    assert not UsageEvent.objects.filter(event_id="c").exists()


def test_large_batches_name_only_what_was_not_accepted(client: APIClient) -> None:
    batch = [body(f"e{i}") for i in range(101)] + [body("bad", input_tokens=-1)]

    short = client.post("/api/v1/events/", batch, format="json").json()
    full = client.post("/api/v1/events/?receipts=all", batch, format="json").json()

    assert (short["accepted"], [r["event_id"] for r in short["results"]]) == (101, ["bad"])
    assert (full["duplicates"], len(full["results"])) == (101, 102)


def test_a_failing_receiver_undoes_the_storing(caller: Caller) -> None:
    def fail(**kwargs: object) -> None:
        raise RuntimeError("no budget")

    events_stored.connect(fail)
    try:
        with pytest.raises(RuntimeError, match="no budget"):
            ingest([event()], caller)
    finally:
        events_stored.disconnect(fail)

    assert not UsageEvent.objects.exists()
    assert not EventKey.objects.exists()
    assert not DirtyMark.objects.exists()


def test_backslashes_and_quotes_survive_the_copy(client: APIClient) -> None:
    odd = 'a\\N\\b "q" \u00e9 \U0001f600'
    client.post("/api/v1/events/", body(odd, session_id="\\.", tags={"k": odd}), format="json")

    stored = UsageEvent.objects.get()
    assert (stored.event_id, stored.session_id) == (odd, "\\.")
    assert stored.tags == {"k": odd}


def test_an_event_years_back_gets_its_partition(caller: Caller) -> None:
    report = ingest([event(occurred_at=NOON.replace(year=2021, month=2))], caller)

    assert report.accepted == 1
    assert UsageEvent.objects.get().occurred_at.year == 2021


def test_names_are_learnt_once_for_a_whole_batch(
    caller: Caller, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    ingest([event(f"a{i}", project=f"p{i}") for i in range(50)], caller)
    assert Project.objects.count() == 50

    with django_assert_max_num_queries(8):
        ingest([event(f"b{i}", project=f"p{i % 50}") for i in range(500)], caller)
