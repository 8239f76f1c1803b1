import re
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from usage.keys import KeyRefused, recognise
from usage.models import APIKey, Organization

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("apikey", *arguments, stdout=out)
    return out.getvalue()


def test_create_prints_the_key_alone_and_makes_the_organization() -> None:
    out = run("create", "--organization", "acme", "--scope", "ingest", "--scope", "read")
    assert re.fullmatch(r"tm_\w{8}\.\w{32}\n", out)
    holder = recognise(out.strip())
    assert holder.tenant is not None
    assert holder.tenant.slug == "acme"
    assert holder.scopes == frozenset({"ingest", "read"})
    key = APIKey.objects.get()
    assert (key.name, key.expiry_date) == ("default", None)


def test_site_makes_a_key_for_every_organization() -> None:
    assert recognise(run("create", "--site", "--scope", "read").strip()).tenant is None
    assert not Organization.objects.exists()


@pytest.mark.parametrize(
    ("period", "length"),
    [("90d", timedelta(days=90)), ("12h", timedelta(hours=12)), ("5m", timedelta(minutes=5))],
)
def test_keys_may_expire(period: str, length: timedelta) -> None:
    secret = run("create", "--site", "--scope", "read", "--expires", period, "--name", "short")
    key = APIKey.objects.get(name="short")
    assert key.expiry_date is not None
    assert abs(key.expiry_date - datetime.now(UTC) - length) < timedelta(seconds=30)
    with pytest.raises(KeyRefused, match="expired"):
        recognise(secret.strip(), now=datetime.now(UTC) + length + timedelta(minutes=1))


def test_list_shows_keys_without_their_secrets() -> None:
    secret = run("create", "--organization", "acme", "--scope", "read", "--name", "one").strip()
    run("create", "--organization", "other", "--scope", "read", "--name", "two")
    shown = run("list")
    assert secret[:11] in shown
    assert secret not in shown
    assert "one" in shown
    assert "two" in shown
    assert "two" not in run("list", "--organization", "acme")


def test_a_revoked_key_opens_nothing_any_more() -> None:
    secret = run("create", "--site", "--scope", "read").strip()
    assert run("revoke", secret[:11]) == f"revoked {secret[:11]} (default)\n"
    with pytest.raises(KeyRefused, match="revoked"):
        recognise(secret)
    assert "revoked" in run("list")


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "--scope", "read"),
        ("create", "--organization", "acme"),
        ("create", "--organization", "acme", "--site", "--scope", "read"),
        ("create", "--organization", "no spaces", "--scope", "read"),
        ("create", "--site", "--scope", "fly"),
        ("create", "--site", "--scope", "read", "--expires", "soon"),
        ("create", "--site", "--scope", "read", "--expires", "0d"),
        ("create", "--site", "--scope", "read", "--expires", "999999999d"),
    ],
)
def test_bad_usage_makes_no_key(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as failure:
        run(*arguments)
    assert failure.value.returncode in (1, 2)
    assert "\n" not in str(failure.value)
    assert not APIKey.objects.exists()
    assert not Organization.objects.exists()


def test_an_unknown_key_cannot_be_revoked() -> None:
    with pytest.raises(CommandError, match="there is no key 'tm_nothere1'"):
        run("revoke", "tm_nothere1")
