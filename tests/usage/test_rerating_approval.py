from decimal import Decimal

import pytest
from django.contrib.auth.models import User

from tests.usage.conftest import event
from tests.usage.repricing import costs, planned, price
from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenancy
from usage.models import Organization, RatingRun
from usage.organizations import ensure_organization
from usage.rerating import RatingRefused, apply_run, approve_run, continue_runs, discard_run

Status = RatingRun.Status

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(caller: Caller) -> Organization:
    acme = Organization.objects.get(slug="acme")
    acme.rating_needs_approval = True
    acme.save()
    ingest([event("a"), event("x", model="nobody-knows-9", provider="")], caller)
    return acme


@pytest.fixture
def ann() -> User:
    return User.objects.create(username="ann")


@pytest.fixture
def bob() -> User:
    return User.objects.create(username="bob")


def test_who_asks_cannot_apply_alone(acme: Organization, ann: User, bob: User) -> None:
    price("6", "30")
    run = apply_run(planned(user=ann), ann)
    assert run.status == Status.AWAITING
    with pytest.raises(RatingRefused, match="Somebody else"):
        approve_run(run, ann)
    with pytest.raises(RatingRefused, match="waits for a second person"):
        apply_run(run, ann)
    continue_runs()
    assert costs()["a"] == Decimal("0.0045")

    approved = approve_run(run, bob)
    continue_runs()

    approved.refresh_from_db()
    assert (approved.status, approved.approved_by) == (Status.APPLIED, bob)
    assert approved.approved_at is not None
    assert costs()["a"] == Decimal("0.009")


def test_a_second_person_who_applies_has_approved(acme: Organization, ann: User, bob: User) -> None:
    price("6", "30")
    run = apply_run(planned(user=ann), bob)
    assert (run.status, run.approved_by) == (Status.APPLYING, bob)


def test_a_command_or_an_offer_also_waits_for_a_person_other_than_who_took_it(
    acme: Organization, ann: User, bob: User
) -> None:
    price("6", "30")
    assert apply_run(planned()).status == Status.AWAITING
    offered = apply_run(planned(), ann)
    assert (offered.status, offered.requested_by) == (Status.AWAITING, ann)
    with pytest.raises(RatingRefused):
        approve_run(offered, ann)
    assert approve_run(offered, bob).status == Status.APPLYING


def test_a_waiting_run_can_be_discarded(acme: Organization, ann: User) -> None:
    price("6", "30")
    run = discard_run(apply_run(planned(user=ann), ann), ann)
    with pytest.raises(RatingRefused, match="discarded"):
        approve_run(run, ann)


def test_organizations_that_are_not_touched_ask_for_nothing(acme: Organization, ann: User) -> None:
    other = Caller(Tenancy(tenant_of(ensure_organization("other")), {}))
    ingest([event("o")], other)
    price("6", "30")
    mine = planned(user=ann, organization=Organization.objects.get(slug="other"))
    assert apply_run(mine, ann).status == Status.APPLYING
    assert apply_run(planned(user=ann), ann).status == Status.AWAITING


def test_first_prices_need_nobody(acme: Organization) -> None:
    price("6", "30", model="nobody-knows-9", provider="quux")
    price("6", "30", model="nobody-knows-9", provider="anthropic")
    ingest_unknown = Caller(Tenancy(tenant_of(acme), {}))
    ingest([event("y", model="nobody-knows-8")], ingest_unknown)
    price("6", "30", model="nobody-knows-8")
    continue_runs()
    assert costs()["y"] == Decimal("0.009")
    assert costs()["a"] == Decimal("0.0045")
