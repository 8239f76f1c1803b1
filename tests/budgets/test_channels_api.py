from typing import Any

import pytest
from django.core import mail

from budgets.channels.sealing import unseal
from budgets.models import Channel, Delivery, Notice
from tests.budgets.budget_clients import Caller

pytestmark = pytest.mark.usefixtures("catalogue")

OPS: dict[str, Any] = {
    "name": "ops", "kind": "email", "target": "ann@example.org", "is_default": True,
    "kinds": ["threshold", "blocked"], "least_severity": "warning", "tells_resolved": True,
    "repeat_hours": 6, "digest": "weekly", "digest_hour": 7, "quiet_from": "22:00",
    "quiet_until": "06:30",
}  # fmt: skip
HOOK: dict[str, Any] = {
    "name": "hook",
    "kind": "webhook",
    "target": "https://hooks.example.org/in/abcdef123456",
}


@pytest.fixture
def acme() -> Caller:
    return Caller()


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_channel_is_made_shown_masked_changed_and_deleted(acme: Caller, slash: str) -> None:
    made = acme.post(f"channels{slash}", OPS, 201)
    shown = {**OPS, "target": "a…@example.org", "organization": "acme", "enabled": True}
    assert {name: made[name] for name in shown} == shown
    assert (made["secret"], made["failing_since"]) == (None, None)
    assert "ann@" not in str(acme.get(f"channels{slash}"))

    path = f"channels/{made['id']}{slash}"
    changed = acme.ask("put", path, {"name": "ops", "digest": "daily"})
    assert (changed["digest"], changed["is_default"], changed["quiet_from"]) == (
        "daily", False, None,
    )  # fmt: skip
    assert unseal(Channel.objects.get().target) == "ann@example.org"
    acme.ask("put", path, {"target": "bob@example.org"})
    assert acme.get(path)["target"] == "b…@example.org"
    acme.ask("delete", path, status=204)
    acme.get(path, 404)


def test_the_secret_of_a_webhook_is_told_once_and_when_it_is_replaced(acme: Caller) -> None:
    made = acme.post("channels/", HOOK, 201)
    assert made["secret"].startswith("whsec_")
    assert made["target"] == "https://hooks.example.org/…3456"
    path = f"channels/{made['id']}/"
    assert "secret" not in acme.get(path)
    assert acme.post(f"{path}rotate-secret/")["secret"] not in ("", made["secret"])
    mail_id = acme.post("channels/", OPS, 201)["id"]
    assert acme.post(f"channels/{mail_id}/rotate-secret", status=409)["type"].endswith("not_signed")


def test_what_a_channel_cannot_be_is_named(acme: Caller) -> None:
    known = acme.post("channels/", OPS, 201)["id"]

    def faults(method: str, path: str, status: int = 422, **body: Any) -> list[tuple[str, str]]:
        return acme.faults(method, path, body, status)

    assert faults("post", "channels/", **HOOK, color="red") == [("color", "unknown_field")]
    assert faults("post", "channels/", **{**HOOK, "target": "https://127.0.0.1/"})[0][0] == "target"
    assert faults("post", "channels/", name="x", kind="email")[0][0] == "target"
    assert "kind" in {field for field, _ in faults("post", "channels/", name="x", target="y")}
    assert faults("post", "channels/", 409, **OPS) == [("name", "exists")]
    assert faults("post", "channels/", **HOOK, quiet_from="25:00")[0][0] == "quiet_from"
    assert faults("post", "channels/", **HOOK, quiet_from="22:00")
    assert faults("put", f"channels/{known}/", name="other")[0][0] == "name"
    assert faults("put", f"channels/{known}/", organization="globex")[0][0] == "organization"
    assert Channel.objects.get().name == "ops"


def test_a_budget_names_channels_that_exist_and_keeps_them_from_being_deleted(
    acme: Caller,
) -> None:
    body = {"channels": ["ops", "no-such"]}
    ops = acme.post("channels/", OPS, 201)["id"]
    refused = acme.post("budgets/", body, 422)["errors"]
    assert [(e["field"], "no-such" in e["message"]) for e in refused] == [("channels", True)]
    budget = acme.budget(channels=["ops"])
    assert acme.faults("patch", f"budgets/{budget['id']}/", {"channels": ["x"]})[0][0] == "channels"

    kept = acme.ask("delete", f"channels/{ops}/", status=409)
    assert kept["type"].endswith("in_use")
    assert "month" in kept["detail"]
    acme.ask("patch", f"budgets/{budget['id']}/", {"channels": []})
    acme.ask("delete", f"channels/{ops}/", status=204)


def test_a_test_message_is_sent_and_tells_what_came_of_it(acme: Caller) -> None:
    path = f"channels/{acme.post('channels/', OPS, 201)['id']}/test"
    told = acme.post(path)
    assert (told["state"], told["outcome"], told["detail"]) == ("sent", "sent", "")
    assert mail.outbox[0].to == ["ann@example.org"]
    assert Notice.objects.get(pk=told["notice"]).deliveries.get().outcome == Delivery.Outcome.SENT


def test_keys_of_the_site_set_channels_of_the_site_and_of_others(acme: Caller) -> None:
    site, reader, other = Caller(None), Caller("acme", "read"), Caller("globex")
    own = acme.post("channels/", OPS, 201)["id"]
    of_site = site.post("channels/", {**OPS, "organization": None}, 201)
    assert of_site["organization"] is None
    assert site.post("channels/", {**HOOK, "organization": "acme"}, 201)["organization"] == "acme"
    assert site.faults("post", "channels/", {**HOOK, "organization": "nobody"}) == [
        ("organization", "unknown_organization")
    ]
    assert len(site.get("channels/")["results"]) == 3
    assert [c["name"] for c in acme.get("channels/")["results"]] == ["hook", "ops"]
    for path in (f"channels/{of_site['id']}/", "channels/x/", f"channels/{2**70}/"):
        acme.get(path, 404)
    other.ask("put", f"channels/{own}/", {}, 404)
    other.ask("delete", f"channels/{own}/", status=404)
    for path in ("channels/", f"channels/{own}/test/", f"channels/{own}/rotate-secret/"):
        reader.post(path, {}, 403)
    first = acme.get("channels/?limit=1")
    assert acme.get(first["next"].split("/api/v1/")[1])["results"][0]["name"] == "ops"
