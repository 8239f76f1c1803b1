import logging
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from pytest_django import Settings

from budgets.channels.saving import (
    channels_named,
    remove_channel,
    rotate_secret,
    save_channel,
    signing_secret,
)
from budgets.channels.sealing import Unreadable, mask, seal, unseal
from budgets.models import Budget, Channel
from budgets.selectors.channels import UNREADABLE, seen_channels, shown_target
from budgets.setting import save_budget
from tests.budgets.channels.making import ACTOR, TARGETS, channel, organization
from usage.selectors.access import EVERYTHING, NOTHING, Viewer

pytestmark = pytest.mark.django_db


def test_what_is_sealed_is_read_with_the_key_of_then_and_no_other(settings: Settings) -> None:
    token = seal("s3cret")
    assert "s3cret" not in token
    assert token != seal("s3cret")
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    with pytest.raises(Unreadable):
        unseal(token)
    settings.SECRET_KEY_FALLBACKS = [former]
    assert unseal(token) == "s3cret"
    with pytest.raises(Unreadable):
        unseal(token[:-4] + "AAA=")


@pytest.mark.parametrize(
    ("kind", "target", "shown"),
    [
        ("slack", TARGETS[Channel.Kind.SLACK], "https://hooks.slack.com/services/…x7Qa"),
        ("webhook", TARGETS[Channel.Kind.WEBHOOK], "https://hooks.example.org/…cdef"),
        ("webhook", "https://hooks.example.org/a?key=0123456789abcdef", "https://hooks.example.org/…cdef"),
        ("webhook", "https://hooks.example.org/short", "https://hooks.example.org/…"),
        ("webhook", "https://hooks.example.org", "https://hooks.example.org/…"),
        ("other", TARGETS[Channel.Kind.OTHER], "discord://…qrst"),
        ("other", "opsgenie://0123456789abcdef", "opsgenie://…cdef"),
        ("email", "anna@example.org,b@example.com", "a…@example.org, b…@example.com"),
    ],
)  # fmt: skip
def test_masks_show_what_it_is_and_no_more(kind: str, target: str, shown: str) -> None:
    assert mask(kind, target) == shown


def test_nothing_readable_is_stored_logged_or_told(
    caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    caplog.set_level(logging.DEBUG, logger="budgets")
    saved = channel()
    secret = signing_secret(saved)
    assert secret.startswith("whsec_")
    with connection.cursor() as cursor:
        cursor.execute("SELECT row(c.*)::text FROM budgets_channel c")
        stored = cursor.fetchone()[0]
    for told in (stored, caplog.text, repr(saved), str(saved), str(vars(saved))):
        assert "0123456789abcdef" not in told
        assert secret not in told
    assert "was saved by" in caplog.text
    assert shown_target(saved) == "https://hooks.example.org/…cdef"
    settings.SECRET_KEY = "another"
    assert shown_target(saved) == UNREADABLE


def test_a_new_secret_works_beside_the_one_before_it() -> None:
    saved = channel()
    first = signing_secret(saved)
    second = rotate_secret(saved, ACTOR)
    assert unseal(Channel.objects.get().secret).split() == [second, first]
    assert unseal(saved.secret).split() == [second, first]
    with pytest.raises(ValidationError):
        rotate_secret(channel("mail", "email"), ACTOR)


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        ("slack", "https://hooks.slack.com.evil.example/services/x"),
        ("slack", "https://hooks.slack.com@evil.example/services/x"),
        ("slack", "http://hooks.slack.com/services/x"),
        ("slack", "https://hooks.example.org/services/x"),
        ("webhook", "https://127.0.0.1/"),
        ("email", "not an address"),
        ("email", "a@example.org\nBcc: b@example.org"),
        ("email", " , "),
        ("email", ",".join(f"a{n}@example.org" for n in range(51))),
        ("other", "json://127.0.0.1/"),
        ("other", "syslog://"),
        ("other", "file:///etc/passwd"),
        ("other", "ntfy://localhost/topic"),
        ("other", "discord://1234567890123456/abcdefghijklmnop?template=/etc/passwd"),
        ("other", "discord://1234567890123456/abcdefghijklmnop?verify=no&rto=9999"),
        ("other", "discord://"),
        ("other", "dbus://"),
    ],
)
def test_targets_that_a_kind_does_not_take_are_faults_of_the_field(kind: str, target: str) -> None:
    with pytest.raises(ValidationError) as fault:
        channel("ops", kind, target)
    assert set(fault.value.message_dict) == {"target"}
    assert target.strip() == "" or target not in str(fault.value)


def test_addresses_are_kept_once_and_in_order() -> None:
    saved = channel("mail", "email", "b@example.org; a@example.org\n b@example.org,")
    assert unseal(saved.target) == "b@example.org,a@example.org"


def test_what_budgets_rely_on_does_not_change_and_the_target_stays_where_none_is_given() -> None:
    saved = channel()
    before = saved.target, saved.secret
    saved.enabled = False
    save_channel(saved, None, ACTOR)
    row = Channel.objects.get()
    assert (row.enabled, row.target, row.secret) == (False, *before)
    row.name, row.kind, row.organization = "other", "email", None
    with pytest.raises(ValidationError) as fault:
        save_channel(row, "a@example.org", ACTOR)
    assert set(fault.value.message_dict) == {"name", "kind", "organization"}
    wrong: tuple[dict[str, Any], ...] = (
        {"kinds": ["nonsense"]}, {"name": "a b"}, {"digest_hour": 24},
    )  # fmt: skip
    for fields in wrong:
        with pytest.raises(ValidationError) as fault:
            channel(**{"name": "third", **fields})
        assert set(fault.value.message_dict) == set(fields)
    with pytest.raises(ValidationError) as fault:
        save_channel(Channel(name="fourth", kind="email"), None, ACTOR)
    assert set(fault.value.message_dict) == {"target"}


def test_names_mean_the_organizations_own_channel_before_the_sites() -> None:
    own, other = channel("ops"), channel("ops", slug="zeta")
    site, shared = channel("ops", slug=None), channel("all", slug=None)
    acme = organization()
    assert channels_named(acme, ["all", "ops", "ops"]) == [shared, own]
    assert channels_named(None, ["ops"]) == [site]
    with pytest.raises(ValidationError) as fault:
        channels_named(acme, ["ops", "nobody"])
    assert fault.value.message_dict == {"channels": ["There is no channel 'nobody'."]}
    assert set(seen_channels(EVERYTHING)) == {own, other, site, shared}
    assert set(seen_channels(Viewer(frozenset((acme.pk,))))) == {own}
    assert not seen_channels(NOTHING)


def test_a_channel_that_budgets_name_is_not_deleted() -> None:
    own, site = channel("ops"), channel("ops", slug=None)
    mine = save_budget(Budget(organization=organization(), channels=["ops"]), None, ACTOR)
    with pytest.raises(ValidationError, match="acme · monthly"):
        remove_channel(own, ACTOR)
    # The one of the site is hidden by the organization's own.
    remove_channel(site, ACTOR)
    mine.channels = []
    save_budget(mine, None, ACTOR)
    remove_channel(own, ACTOR)
    assert not Channel.objects.exists()
