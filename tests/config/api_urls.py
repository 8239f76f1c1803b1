import re
from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

BASES = ("/api/v1/", "/api/public/", "/otlp/")
OPEN = {"/api/v1/schema/", "/api/v1/docs/"}


def operations() -> Iterator[tuple[str, str]]:
    """Every path under the interface's bases, as its document writes it, with each method."""
    for path, view in _views(get_resolver().url_patterns, ""):
        if path not in OPEN:
            for method in view.cls().allowed_methods:
                if method not in ("OPTIONS", "HEAD"):
                    yield path, method


def _views(patterns: list[Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        regex = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _views(pattern.url_patterns, regex)
        elif isinstance(pattern, URLPattern) and _plain(regex).startswith(BASES):
            yield _plain(regex), pattern.callback


def _plain(regex: str) -> str:
    named = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"{\1}", regex)
    return "/" + re.sub(r"[\^$]|\\Z", "", named).replace("/?", "/").lstrip("/")
