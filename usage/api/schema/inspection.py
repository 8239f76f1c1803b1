"""How operations are read from views: who may call, which errors there are, under which path."""

from collections.abc import Callable, Iterable
from functools import cache
from inspect import getdoc
from typing import Any

from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.contrib.django_filters import DjangoFilterExtension
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction, OpenApiResponse

from usage.api.schema.bodies import Problem
from usage.api.schema.components import Schema, schema_of

Endpoint = tuple[str, str, str, Callable[..., Any]]
PROBLEM_TYPE = "application/problem+json"
PROBLEMS = {
    400: "The request or one of its parameters is not understood; `errors` names it.",
    401: "There is no key or session, or the key is unknown, revoked or expired.",
    403: "The key lacks the scope.",
    404: "There is nothing of this name that the caller may see.",
    409: "What is asked contradicts what is there.",
    411: "The body has no Content-Length and no end.",
    413: "The body is over 16 MiB, or holds over 10,000 items.",
    415: "The content encoding is neither gzip nor identity.",
    422: "The body is well-formed and yet cannot be taken; `errors` names each fault.",
    429: "Too many requests; `Retry-After` says when to come back.",
    503: "The database is away for a moment; `Retry-After` says when to come back.",
}
_ALWAYS, _OF_BODIES = (400, 401, 403, 429, 503), (411, 413, 415, 422)


def problem_answer(status: int, description: str = "", body: Schema | None = None) -> Any:
    """An error's response; `body` where it has more members than a problem."""
    return OpenApiResponse(body or schema_of(Problem), description or PROBLEMS[status])


class DocumentedSchema(AutoSchema):
    """Adds to each operation the errors any of its kind may answer, and the scope it needs."""

    # The library's own signature is not that of the framework it extends.
    def get_description(self) -> str:  # type: ignore[override]
        """What the view says of itself, rather than its method."""
        return getdoc(type(self.view)) or ""

    def _get_filter_parameters(self) -> list[Schema]:
        """Those of the view's filter set, if it has one: they are of its list alone."""
        filters = getattr(self.view, "filterset_class", None)
        if filters is None or self.method != "GET":
            return []
        extension: Any = DjangoFilterExtension
        inspect = extension(DjangoFilterBackend)
        model = filters.Meta.model
        return [
            found
            for name, each in filters.base_filters.items()
            for found in inspect.resolve_filter_field(self, model, filters, name, each)
        ]

    def _get_response_bodies(self, direction: Direction = "response") -> Schema:
        answers: Schema = super()._get_response_bodies(direction)
        if not getattr(self.view, "answers_problems", True):
            return answers
        more = [*_ALWAYS]
        if "{" in self.path:
            more.append(404)
        if self.method in ("POST", "PUT", "PATCH"):
            more += _OF_BODIES
        for status in more:
            if str(status) not in answers:
                answers[str(status)] = {
                    "description": PROBLEMS[status],
                    "content": {PROBLEM_TYPE: {"schema": schema_of(Problem)}},
                }
        return dict(sorted(answers.items()))

    def get_extensions(self) -> Schema:
        """The scope a key needs."""
        scope = getattr(self.view, "scope", None)
        return {"x-scope": str(scope)} if scope else {}


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The three places a key may stand in."""

    target_class = "usage.api.authentication.KeyAuthentication"
    name = ["bearerKey", "headerKey", "basicKey"]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[Any]]]:
        """Any one of them will do."""
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[Schema]:
        """The schemes in the order of their names."""
        return [
            {"type": "http", "scheme": "bearer", "description": "An API key, `tm_…`."},
            {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            {"type": "http", "scheme": "basic", "description": "The key as password."},
        ]


class StaffScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The admin's session cookie."""

    target_class = "usage.api.authentication.StaffSession"
    name = "staffSession"

    def get_security_definition(self, auto_schema: AutoSchema) -> Schema:
        """A cookie of staff, for reads."""
        return {
            "type": "apiKey", "in": "cookie", "name": "sessionid",
            "description": "The session of a member of staff, for reads only.",
        }  # fmt: skip


def plain_paths(endpoints: Iterable[Endpoint], **_context: object) -> list[Endpoint]:
    """Paths as the contract writes them, with the slash that may be left out."""
    return [
        (f"{path.rstrip('?/')}/" if path.endswith(("?", "/")) else path, regex, method, callback)
        for path, regex, method, callback in endpoints
    ]


class ContractGenerator(SchemaGenerator):
    """Builds the document once a process: it depends on the code alone."""

    def get_schema(self, request: object = None, public: bool = False) -> Schema:
        """The whole document, whoever asks."""
        return _contract()


@cache
def _contract() -> Schema:
    generator: Any = SchemaGenerator
    return dict(generator().get_schema(request=None, public=True))
