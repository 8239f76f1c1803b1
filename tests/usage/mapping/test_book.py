from typing import Any

import pytest

from usage.ingest.values import SubjectValue
from usage.mapping.book import Rule, RuleBook
from usage.mapping.shipped import SHIPPED

SHIPPED_RULES = [Rule(rule.attribute, rule.target, rule.value, rule.tag) for rule in SHIPPED]
shipped = RuleBook(SHIPPED_RULES, {})


def book(*rules: Rule, **own: list[Rule]) -> RuleBook:
    return RuleBook(
        rules, {slug: [r._replace(own=True) for r in some] for slug, some in own.items()}
    )


def mapped(record: dict[str, Any], resource: dict[str, Any] | None = None) -> dict[str, Any]:
    return shipped.map([record, resource or {}], "acme")


def test_shipped_rules_read_the_names_that_clients_use() -> None:
    assert mapped({
        "tallyman.project": "web", "tallyman.team": "core", "tallyman.action": "review",
        "tallyman.agent_type": "bot", "tallyman.run": "r1", "tallyman.run_trigger": "push",
        "tallyman.session": "s0", "session.id": "s1", "tallyman.billing_scope": "user",
        "tallyman.subject": "ann", "tallyman.subject.name": "Ann", "user.id": "u1",
        "tallyman.organization": "globex", "deployment.environment": "live",
    }) == {
        "project": "web", "team": "core", "action": "review", "agent_type": "bot", "run_id": "r1",
        "run_trigger": "push", "session_id": "s0", "billing_scope": "user",
        "subject": SubjectValue("ann", "", "Ann"), "tags": {"environment": "live"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("record", "subject"),
    [
        ({"user.id": "9df4", "user.email": "a@x.io"}, SubjectValue("a@x.io", "a@x.io")),
        ({"user.id": "9df4"}, "9df4"),
        ({"langfuse.user.id": "lu", "user.name": "n"}, "lu"),
        ({"metadata.user_api_key_end_user_id": "cust", "user_api_key_user_id": "dev"}, "cust"),
        ({"tallyman.subject.email": "a@x.io"}, SubjectValue("a@x.io", "a@x.io")),
        ({"tallyman.subject.email": "no address", "user.full_name": "Ann"}, None),
    ],
)
def test_a_person_is_known_by_the_address_before_other_ids(
    record: dict[str, Any], subject: object
) -> None:
    assert mapped(record).get("subject") == subject


@pytest.mark.parametrize(
    "service", ["unknown_service:python", "claude-code", "codex_cli_rs", "gemini-cli", "litellm"]
)
def test_client_tools_are_no_projects(service: str) -> None:
    assert mapped({}, {"service.name": service}) == {}
    assert mapped({}, {"service.name": "shop", "project": "web"}) == {"project": "web"}
    assert mapped({}, {"service.name": "shop"}) == {"project": "shop"}


def test_what_else_a_resource_says_becomes_tags_but_not_what_describes_machines() -> None:
    resource = {
        "squad": "blue", "build": 7, "canary": True, "host.arch": "amd64", "os.type": "linux",
        "telemetry.sdk.name": "otel", "process.pid": 4, "container.id": "c", "user.roles": "x",
        "service.instance.id": "i", "k8s.pod.name": "p", "k8s.namespace.name": "prod",
        "db_password": "hunter2", "long": "x" * 257, "none": None, "object": {"a": 1},
    }  # fmt: skip
    assert mapped({"squad": "red", "note": "n"}, resource)["tags"] == {
        "k8s.namespace.name": "prod", "squad": "blue", "build": "7", "canary": "true",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["input.value", "gen_ai.prompt.0.content", "llm.prompts", "gen_ai.input.messages", "prompt",
     "gen_ai.completion", "llm.input_messages.0.message.content", "ai.response.text",
     "traceloop.entity.input", "langfuse.observation.output", "gen_ai.system_instructions",
     "GEN_AI.TOOL.CALL.ARGUMENTS", "messages", "github.token", "X-Api-Key", "DB_PASSWORD"],
)  # fmt: skip
def test_prompts_answers_and_secrets_are_never_read_not_even_by_a_rule_that_names_them(
    name: str,
) -> None:
    asking = book(Rule(name, "tag"), Rule("*", "tag"), Rule("*", "project"))
    assert asking.map([{name: "secret"}, {name: "secret"}], "acme") == {}


def test_the_first_rule_that_fits_an_attribute_decides_and_records_precede_resources() -> None:
    rules = book(
        Rule("env", "ignore", value="test*"),
        Rule("env", "team", value="*a*"),
        Rule("env", "project"),
        Rule("squad", "project"),
        Rule("crew", "project", becomes="crew-{value}"),
    )
    assert rules.map([{"env": "testa"}, {}], "acme") == {}
    assert rules.map([{"env": "alpha"}, {"squad": "s"}], "acme") == {
        "team": "alpha",
        "project": "s",
    }
    assert rules.map([{"crew": "7"}, {"env": "x", "squad": "s"}], "acme") == {"project": "crew-7"}
    assert rules.map([{}, {"squad": "s", "env": "x"}], "acme") == {"project": "x"}
    assert rules.map([{"env": " \x00"}, {"squad": "s"}], "acme") == {"project": "s"}


def test_an_organizations_own_rules_come_before_those_of_the_site() -> None:
    rules = book(
        Rule("tallyman.organization", "organization"),
        Rule("team", "team"),
        acme=[Rule("squad", "team"), Rule("team", "ignore")],
    )
    told = [{"team": "site", "tallyman.organization": "acme"}, {"squad": "own"}]
    assert rules.map(told, "acme") == {"team": "own"}
    assert rules.map(told, "globex") == {"team": "site"}
    assert rules.map(told, None) == {"team": "own", "organization": "acme"}
    assert rules.map([{"team": "site"}], None) == {"team": "site"}


def test_no_rule_of_an_organization_hands_its_records_to_another_one() -> None:
    rules = book(Rule("tenant", "organization"), acme=[Rule("x", "organization")])
    assert rules.map([{"tenant": "acme", "x": "globex"}], None) == {"organization": "acme"}


def test_values_are_made_to_fit_and_too_many_tags_are_left_out() -> None:
    rules = book(
        Rule("p", "project"), Rule("b", "billing_scope"), Rule("l", "tag"), Rule("*", "tag")
    )
    assert rules.map([{"p": " a\nb\x7f\ud800 "}], "acme") == {"project": "ab"}
    assert len(rules.map([{"p": "x" * 9999}], "acme")["project"]) == 128
    assert rules.map([{"p": 10**400, "b": "both"}], "acme") == {}
    assert rules.map([{"p": [1], "b": b"org"}], "acme") == {}
    assert rules.map(
        [{"l": ["prod", "team:search", "a=b", "https://x.io/a", 7, None]}], "acme"
    ) == {
        "tags": {"prod": "true", "team": "search", "a": "b", "https://x.io/a": "true", "7": "true"}
    }
    many = rules.map([{}, {f"n{n}": "v" for n in range(50)}], "acme")["tags"]
    assert (len(many), next(iter(many))) == (32, "n0")
    assert rules.map([{}, {"n" * 65: "v"}], "acme") == {}
