"""The rules that ship with Tallyman, in their order.

Sources: OpenTelemetry's semantic conventions (service, deployment, enduser, user, session, cicd),
and the attributes that Langfuse, Traceloop, OpenInference, LiteLLM, Claude Code, Codex and
Gemini CLI send. A person who gives an e-mail address is known by it, because it is the one name
that all of these share.
"""

from typing import NamedTuple

FIRST_POSITION = 1000
STEP = 10


class ShippedRule(NamedTuple):
    """A rule as `AttributeRule` has it, but for its position, which follows from its place."""

    attribute: str
    target: str
    value: str = ""
    tag: str = ""

    @property
    def code(self) -> str:
        """The name by which the row of this rule is found again."""
        return f"{self.attribute}={self.value}" if self.value else self.attribute


def _all(target: str, *attributes: str) -> tuple[ShippedRule, ...]:
    return tuple(ShippedRule(attribute, target) for attribute in attributes)


_OWN = (
    *_all("organization", "tallyman.organization"),
    *_all("project", "tallyman.project"),
    *_all("team", "tallyman.team"),
    *_all("subject", "tallyman.subject", "tallyman.user"),
    *_all("subject_email", "tallyman.subject.email"),
    *_all("subject_name", "tallyman.subject.name"),
    *_all("session_id", "tallyman.session", "tallyman.session_id"),
    *_all("run_id", "tallyman.run", "tallyman.run_id"),
    *_all("run_trigger", "tallyman.run_trigger"),
    *_all("action", "tallyman.action"),
    *_all("agent_type", "tallyman.agent_type"),
    *_all("billing_scope", "tallyman.billing_scope"),
)
_GROUPS = (
    *_all("organization", "*user_api_key_org_alias"),
    *_all("team", "team.id", "team", "*user_api_key_team_alias", "team_alias", "team_id",
          "team.name", "*user_api_key_team_id"),
    *_all("project", "project", "project.id", "project.name", "openinference.project.name",
          "vcs.repository.name", "*user_api_key_project_alias", "*user_api_key_project_id"),
)  # fmt: skip
_PEOPLE = _all(
    "subject",
    "user.email", "*user_api_key_end_user_id", "end_user", "enduser.id", "gen_ai.user",
    "langfuse.user.id", "*user_api_key_user_email", "*user_api_key_user_id",
    "traceloop.association.properties.user_id", "user.id", "user_id", "user.name",
) + _all("subject_name", "user.full_name", "enduser.name")  # fmt: skip
_CALLS = (
    *_all("session_id", "session.id", "gen_ai.conversation.id", "langfuse.session.id",
          "conversation.id", "session_id", "litellm_session_id",
          "traceloop.association.properties.session_id"),
    *_all("run_id", "cicd.pipeline.run.id"),
)  # fmt: skip
_TOOLS = ("unknown_service*", "claude-code*", "codex*", "gemini-cli*", "litellm*")
_SERVICES = (
    *(ShippedRule("service.name", "ignore", value=tool) for tool in _TOOLS),
    *_all("project", "service.name"),
)
_TAGS = (
    *(ShippedRule(name, "tag", tag="environment") for name in (
        "deployment.environment.name", "deployment.environment", "langfuse.environment",
        "environment",
    )),
    *_all("tag", "cost_center", "department", "feature", "k8s.namespace.name",
          "k8s.cluster.name"),
    ShippedRule("user_api_key_alias", "tag", tag="litellm_key"),
    ShippedRule("metadata.user_api_key_alias", "tag", tag="litellm_key"),
)  # fmt: skip
_NOT_TAGS = _all(
    "ignore",
    "telemetry.*", "service.*", "host.*", "os.*", "process.*", "container.*", "k8s.*", "device.*",
    "browser.*", "faas.*", "cloud.resource_id", "user.*", "enduser.*", "organization.id",
    "account*", "*user_api_key_*", "wsl.*", "terminal.*", "app.*", "schema_url", "tallyman.*",
    "*password*", "*secret*", "*authorization*", "*credential*", "*api_key*", "*api-key*",
)  # fmt: skip
SHIPPED: tuple[ShippedRule, ...] = (
    *_OWN, *_GROUPS, *_PEOPLE, *_CALLS, *_SERVICES, *_TAGS, *_NOT_TAGS, ShippedRule("*", "tag"),
)  # fmt: skip
"""The last one makes tags of whatever else a resource says, such as `cost_center=eng-1`."""
