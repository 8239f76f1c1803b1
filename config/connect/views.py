"""The Connect page: choose what to connect, make a key, copy the lines, see the first event."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib.admin.models import ADDITION, LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from config.connect.clients import BY_SLUG, GROUPS, SOURCES, Source, filled
from config.connect.progress import read_progress
from usage.keys import create_key
from usage.models import APIKey, Organization
from usage.selectors.access import administered_by, viewer_of
from usage.selectors.overview import visible

KEY, SLUG = "YOUR_KEY", "YOUR_ORGANIZATION"
VALID = timedelta(days=365)
_HERE = ("localhost", "127.0.0.1", "::1")


class KeyForm(forms.Form):
    """Which organization a new key is for."""

    organization = forms.ModelChoiceField(
        Organization.objects.none(), to_field_name="slug", empty_label=None
    )

    def __init__(self, data: QueryDict | None, organizations: QuerySet[Organization]):
        super().__init__(data)
        field = cast("forms.ModelChoiceField[Organization]", self.fields["organization"])
        field.queryset = organizations


@sensitive_variables("secret")
def connect_page(request: HttpRequest, context: dict[str, Any]) -> TemplateResponse:
    """The lines for one client; a POST makes a key and shows it in them this once.

    Raises PermissionDenied for a POST by somebody who administers no organization.
    """
    source = _source(request)
    organizations = _administered(request)
    if request.method != "POST":
        return _shown(request, context, source, form=KeyForm(None, organizations))
    form = KeyForm(request.POST, organizations)
    if not organizations.exists():
        raise PermissionDenied
    if not form.is_valid():
        return _shown(request, context, source, form=form)
    organization: Organization = form.cleaned_data["organization"]
    name = f"Connect: {source.name}"
    key, secret = create_key(organization.slug, [APIKey.Scope.INGEST], name, VALID)
    LogEntry.objects.log_actions(
        str(request.user.pk), [key], ADDITION, change_message="Made.", single_object=True
    )
    return _shown(request, context, source, key=key, secret=secret)


def connected_page(request: HttpRequest, context: dict[str, Any], prefix: str) -> TemplateResponse:
    """How far one key has got, without its secret. Raises Http404 for a key out of sight."""
    return _shown(request, context, _source(request), key=_find_key(request, prefix))


def key_progress(request: HttpRequest, prefix: str) -> JsonResponse:
    """The same for a page that waits. Raises Http404 for a key out of sight."""
    return JsonResponse(asdict(read_progress(_find_key(request, prefix), timezone.now())))


def _shown(
    request: HttpRequest,
    context: dict[str, Any],
    source: Source,
    *,
    form: KeyForm | None = None,
    key: APIKey | None = None,
    secret: str = "",
) -> TemplateResponse:
    url = _site_url(request)
    slug = key.organization.slug if key and key.organization else _only_slug(request)
    context |= {
        "title": "Connect",
        "groups": [(group, [each for each in SOURCES if each.group == group]) for group in GROUPS],
        "source": source,
        "lines": [filled(lines, url, secret or KEY, slug) for lines in source.lines],
        "further_url": reverse(source.page) if source.page else "",
        "form": form,
        "key": key,
        "secret": secret,
        "progress": read_progress(key, timezone.now()) if key else None,
        "may_make": _administered(request).exists(),
        "may_add": administered_by(request.user).organization_ids is None,
    }
    return TemplateResponse(request, "dashboards/connect.html", context)


def _source(request: HttpRequest) -> Source:
    return BY_SLUG.get(request.GET.get("client", ""), SOURCES[0])


def _administered(request: HttpRequest) -> QuerySet[Organization]:
    rows = Organization.objects.filter(archived_at=None).order_by("slug")
    return visible(rows, administered_by(request.user), "pk")


def _only_slug(request: HttpRequest) -> str:
    slugs = visible(Organization.objects.all(), viewer_of(request.user), "pk")[:2]
    return slugs[0].slug if len(slugs) == 1 else SLUG


def _find_key(request: HttpRequest, prefix: str) -> APIKey:
    keys = APIKey.objects.filter(organization__isnull=False).select_related("organization")
    key: APIKey = get_object_or_404(visible(keys, viewer_of(request.user)), prefix=prefix)
    return key


def _site_url(request: HttpRequest) -> str:
    """Where programs reach this site: as configured, else as whoever looks at the page does."""
    configured = str(settings.TALLYMAN_PUBLIC_URL).rstrip("/")
    if urlsplit(configured).hostname in _HERE:
        return request.build_absolute_uri("/").rstrip("/")
    return configured
