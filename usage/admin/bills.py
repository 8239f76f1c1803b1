"""Provider bills: where they are read, and their lines."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Field, Model
from django.forms import BaseInlineFormSet, ModelChoiceField, ModelForm
from django.forms import Field as FormField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from usage.admin.bill_form import BillSourceForm, FilesForm
from usage.admin.plain_choices import PlainChoices
from usage.admin.scope import OrganizationFilter, changeable, reach_of
from usage.bill_updates import take_files, told, told_files, update_bill
from usage.bills.fetching import Busy
from usage.bills.keys import shown_key
from usage.bills.saving import save_source
from usage.bills.values import BillFault
from usage.formats import UNKNOWN, dated
from usage.models import BillProject, BillSource, Organization, Project

FETCH_SECONDS = 60.0
"""How long somebody waits at most for a bill to be fetched; the schedule fetches the rest."""
_STAYS = ("organization", "shown_kind")


class ProjectFormSet(BaseInlineFormSet[BillProject, BillSource, ModelForm[BillProject]]):
    """Offers the projects of the bill's organization."""

    def add_fields(self, form: ModelForm[BillProject], index: int | None) -> None:
        """Narrow the choices down."""
        super().add_fields(form, index)
        field = form.fields.get("project")
        if isinstance(field, ModelChoiceField):
            field.queryset = Project.objects.filter(organization=self.instance.organization_id)
            field.empty_label = "not told yet"


class ProjectInline(admin.TabularInline[BillProject, BillSource]):
    """The provider's projects as its reports name them, and which of ours each is."""

    model = BillProject
    formset = ProjectFormSet
    fields = ("shown_id", "external_name", "project")
    readonly_fields = ("shown_id",)
    verbose_name_plural = "projects of the provider"
    extra = 0
    can_delete = False

    def formfield_for_dbfield(
        self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> FormField | None:
        """Offer projects without buttons to make or change them."""
        return db_field.formfield(**kwargs)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever sees the page sees its rows."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: BillSource | None = None) -> bool:
        """Refuse: they are read from the reports."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user administers the organization."""
        return obj is not None and reach_of(request).may_change(obj.organization_id)

    @admin.display(description="id")
    def shown_id(self, row: BillProject) -> str:
        """The provider's id."""
        return row.external_id or "none: the default one"


@admin.register(BillSource)
class BillSourceAdmin(PlainChoices[BillSource]):
    """Where bills are read, with what became of the last try."""

    form = BillSourceForm
    change_form_template = "admin/usage/billsource/change_form.html"
    change_list_template = "admin/usage/billsource/change_list.html"
    list_display = ["name", "shown_kind", "state", "until", "organization"]
    list_filter = ["kind", ("organization", OrganizationFilter)]
    list_select_related = ["organization"]
    search_fields = ["name", "organization__slug"]
    sortable_by = ()

    def get_urls(self) -> list[URLPattern]:
        """Fetching now and files, besides the stock pages."""
        views = (("fetch", self.fetch), ("files", self.files))
        own = [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(view),
                name=f"usage_billsource_{name}",
            )
            for name, view in views
        ]
        return [*own, *super().get_urls()]

    def get_inlines(self, request: HttpRequest, obj: BillSource | None) -> list[Any]:
        """The provider's projects, once the bill is there."""
        return [ProjectInline] if obj else []

    def get_readonly_fields(self, request: HttpRequest, obj: BillSource | None = None) -> Any:
        """What stays as it was made."""
        return (*_STAYS, "state", "until") if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: BillSource | None = None) -> Any:
        """What it is, how it is read, and what came of that."""
        is_shown = obj is not None and not self.has_change_permission(request, obj)
        which = [*_STAYS[:1], "name", "shown_kind" if obj else "kind", "providers"]
        has_key = obj is None or (obj.kind != BillSource.Kind.FILE and not is_shown)
        how = [*(["key"] if has_key else []), "first_day", "enabled"]
        came = [("How it goes", {"fields": ["state", "until"]})] if obj else []
        return [("Which bill", {"fields": which}), ("Reading it", {"fields": how}), *came]

    def get_form(
        self, request: HttpRequest, obj: BillSource | None = None, change: bool = False, **kw: Any
    ) -> Any:
        """A form that knows whether the server's own key may be used."""
        form = super().get_form(request, obj, change=change, **kw)
        is_site_staff = reach_of(request).administers is None
        return type("BillSourceForm", (form,), {"may_use_environment": is_site_staff})

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The organization, where there is only one to choose."""
        first = changeable(Organization.objects.all(), request, "pk")[:2]
        return {"organization": first[0].pk} if len(first) == 1 else {}

    @method_decorator(sensitive_post_parameters("key"))
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The form, with one way to save it."""
        one_way = {"show_save_and_add_another": False, "show_save_and_continue": False}
        context = {**one_way, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)

    def save_model(
        self, request: HttpRequest, obj: BillSource, form: ModelForm[BillSource], change: bool
    ) -> None:
        """Set the bill up; an empty key leaves the one it has."""
        save_source(obj, form.cleaned_data.get("key") or None)

    def response_add(
        self, request: HttpRequest, obj: BillSource, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Lead to the bill, where it can be fetched."""
        next_step = (
            "Give it files."
            if obj.kind == BillSource.Kind.FILE
            else "Fetch it now to see that the key works."
        )
        messages.success(request, f"Provider bill {obj} is set up. {next_step}")
        return _to(obj)

    @method_decorator(csrf_protect)
    @method_decorator(require_POST)
    def fetch(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Fetch now, and tell what came of it."""
        source = self._changed(request, pk)
        try:
            stored = update_bill(source, timezone.now(), FETCH_SECONDS)
        except BillFault as fault:
            messages.error(request, f"The bill was not fetched. {fault}")
        except Busy:
            messages.warning(request, "The bill is being fetched already; look again soon.")
        else:
            messages.success(request, told(stored))
        return _to(source)

    @method_decorator(csrf_protect)
    def files(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for files and store what they say."""
        source = self._changed(request, pk)
        sent = request.method == "POST"
        form = FilesForm(request.POST if sent else None, request.FILES if sent else None)
        if form.is_valid():
            try:
                result = take_files(source, form.cleaned_data["reports"], timezone.now())
            except BillFault as fault:
                form.add_error("reports", f"Nothing was stored. {fault}")
            else:
                messages.success(request, told_files(result))
                return _to(source)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Files of {source}",
            "section": "Provider bills",
            "form": form,
            "submit": "Store what they say",
            "back_url": _page(source),
        }
        return TemplateResponse(request, "tallyman/form.html", context)

    def _changed(self, request: HttpRequest, pk: int) -> BillSource:
        source = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_change_permission(request, source):
            raise PermissionDenied
        return source

    @admin.display(description="provider")
    def shown_kind(self, source: BillSource) -> str:
        """Whose bill it is."""
        return source.get_kind_display()

    @admin.display(description="read until")
    def until(self, source: BillSource) -> str:
        """The last day that was fetched."""
        last = source.fetched_until
        return dated(last, last).replace(" ", "\N{NO-BREAK SPACE}") if last else UNKNOWN

    @admin.display(description="state")
    def state(self, source: BillSource) -> SafeString:
        """Whether it can be fetched, since when, and why not."""
        if source.failing_since:
            return _badge("o", "failing", f"since {_minute(source.failing_since)}. {source.fault}")
        if source.kind == BillSource.Kind.FILE:
            return _badge("", "files only", "")
        if source.worked_at:
            off = "" if source.enabled else ", fetched only when asked to"
            return _badge("k", "works", f"last {_minute(source.worked_at)}{off}")
        return _badge("", "not fetched yet", f"key: {shown_key(source)}")


def _badge(colour: str, word: str, more: str) -> SafeString:
    return format_html(
        '<span class="tm-badge {}">{}</span> <span class="tm-quiet">{}</span>', colour, word, more
    )


def _minute(moment: Any) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _page(source: BillSource) -> str:
    return reverse("admin:usage_billsource_change", args=(source.pk,))


def _to(source: BillSource) -> HttpResponseRedirect:
    return HttpResponseRedirect(_page(source))
