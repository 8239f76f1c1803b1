"""Forms of provider bills: where they are read, and files of them."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib.postgres.forms import SimpleArrayField
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

from usage.bills.files import MAX_BYTES, BillFile
from usage.bills.keys import WrongKey, check_key, kind_of_key, shown_key
from usage.models import BillSource

FIRST_YEAR = 2020
"""Nothing was billed by token before it."""
MOST_FILES = 100
MOST_BYTES = 4 * MAX_BYTES
"""How large all files at once may be: they are read together."""
_STARTED = timedelta(days=31)


def _first_day() -> date:
    return (timezone.now() - _STARTED).date()


class BillSourceForm(forms.ModelForm[BillSource]):
    """Where a bill is read. The key is entered, kept sealed, and never shown again.

    `may_use_environment`: only site staff lets a bill be read with the key of the server.
    """

    may_use_environment = False
    kind = forms.ChoiceField(
        choices=[("", "as its key tells"), *BillSource.Kind.choices], required=False
    )
    providers = SimpleArrayField(
        forms.CharField(max_length=128),
        required=False,
        label="Recorded as",
        help_text="Provider names that calls of this account are recorded with, separated by"
        " commas. Empty: the usual one.",
    )
    key = forms.CharField(
        max_length=500,
        required=False,
        widget=forms.PasswordInput(
            attrs={"size": 40, "autocomplete": "new-password", "spellcheck": "false"}
        ),
        help_text="Of Anthropic and OpenAI an admin key, of OpenRouter a management key. It is kept"
        " encrypted.",
    )

    class Meta:
        model = BillSource
        fields = ("organization", "name", "first_day", "enabled")
        widgets = {"first_day": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.pk:
            self.fields["first_day"].initial = _first_day
        elif "key" in self.fields:
            stays = "Empty: it stays. " if self.instance.sealed_key else ""
            shown = shown_key(self.instance).rstrip(".")
            self.fields["key"].help_text = f"Now: {shown}. {stays}{self.fields['key'].help_text}"

    def clean_first_day(self) -> date:
        """Refuse days that are not over or before anything was billed."""
        day: date = self.cleaned_data["first_day"]
        if day.year < FIRST_YEAR or day > timezone.now().date():
            raise ValidationError(f"It lies between {FIRST_YEAR} and today.")
        return day

    def clean(self) -> dict[str, Any] | None:
        """Find the provider by the key, and refuse a key that reads no bills of it."""
        given = super().clean() or self.cleaned_data
        key = given.get("key") or ""
        kind = self.instance.kind or given.get("kind") or kind_of_key(key) or ""
        if not kind:
            self.add_error("kind", "Choose one: no key tells it.")
            return given
        given["kind"] = self.instance.kind = kind
        if kind == BillSource.Kind.FILE:
            if key:
                self.add_error("key", "Only files are read: it has no key.")
        elif key:
            try:
                check_key(kind, key)
            except WrongKey as fault:
                self.add_error("key", str(fault))
        elif not self.instance.pk and not self.may_use_environment:
            self.add_error("key", "Enter a key: the one of the server is for site staff.")
        return given


class FilesInput(forms.ClearableFileInput):
    """A field of a page that takes several files."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One or several files, none larger than is read; becomes a list of BillFile."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[BillFile]:
        """Read the files."""
        given = data if isinstance(data, list | tuple) and data else [data or None]
        if len(given) > MOST_FILES:
            raise ValidationError(f"Choose at most {MOST_FILES} files at once.")
        if sum(file.size or 0 for file in given if file) > MOST_BYTES:
            raise ValidationError(f"Choose at most {MOST_BYTES // 1024**2} MiB at once.")
        return [self._read(super(FilesField, self).clean(file, initial)) for file in given]

    def _read(self, file: UploadedFile[Any]) -> BillFile:
        if (file.size or 0) > MAX_BYTES:
            raise ValidationError(f"{file.name} is larger than {MAX_BYTES // 1024**2} MiB.")
        return BillFile(str(file.name), file.read())


class FilesForm(forms.Form):
    """Files of a bill."""

    reports = FilesField(
        label="Files",
        help_text="Answers of the provider's API saved as JSON, or its console's CSV exports of"
        " usage and of cost. All pages of a report together: a day that a file tells of is"
        " replaced as a whole.",
    )
