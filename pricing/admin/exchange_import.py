"""Forms of an import of exchange rates: the file first, then the same file once looked through.

What was looked through travels in the second form and is read again, so that nothing is kept on
the server in between.
"""

from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms

from pricing.exchange import DatedRate
from pricing.exchange_files import read_rates


@dataclass(frozen=True, slots=True)
class PairSummary:
    """What a file says about two currencies; `first` and `last` are days, both included."""

    base: str
    quote: str
    count: int
    first: date
    last: date
    latest: Decimal


class ImportForm(forms.Form):
    """The file to look through."""

    file = forms.FileField(
        help_text="A file of the European Central Bank (XML, CSV or ZIP: daily, 90 days or the "
        "whole history), or a CSV file with the columns day, base, quote, rate."
    )
    rates: list[DatedRate]
    data_of_file: bytes

    def clean_file(self) -> Any:
        """Read the rates; what is wrong is said with its line."""
        file = self.cleaned_data["file"]
        self.data_of_file = file.read()
        self.rates = _read(self.data_of_file, file.name)
        return file


class StoreForm(forms.Form):
    """The file that was looked through."""

    name = forms.CharField(widget=forms.HiddenInput(), max_length=255)
    content = forms.CharField(widget=forms.HiddenInput())
    rates: list[DatedRate]

    def clean(self) -> dict[str, Any]:
        """Read the rates again."""
        chosen = super().clean() or self.cleaned_data
        try:
            data = b64decode(chosen.get("content", ""), validate=True)
        except ValueError:
            raise forms.ValidationError("The file did not arrive whole; choose it again.") from None
        self.rates = _read(data, chosen.get("name", ""))
        return chosen


def packed(data: bytes) -> str:
    """The bytes of a file as a field of a form holds them."""
    return b64encode(data).decode()


def summaries(rates: Iterable[DatedRate]) -> list[PairSummary]:
    """What a file holds, by pair of currencies."""
    pairs: dict[tuple[str, str], list[DatedRate]] = defaultdict(list)
    for rate in rates:
        pairs[rate.base, rate.quote].append(rate)
    return [
        PairSummary(
            base,
            quote,
            len(found),
            min(rate.day for rate in found),
            max(rate.day for rate in found),
            max(found, key=lambda rate: rate.day).rate,
        )
        for (base, quote), found in sorted(pairs.items())
    ]


def _read(data: bytes, name: str) -> list[DatedRate]:
    try:
        rates = read_rates(data, name)
    except ValueError as error:
        raise forms.ValidationError(str(error)) from None
    if not rates:
        raise forms.ValidationError("The file holds no rates.")
    return rates
