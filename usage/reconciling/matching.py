"""Which names of a bill and of the ledger mean the same model and the same project."""

from collections.abc import Iterable
from typing import NamedTuple

from pricing.directory import ModelDirectory
from pricing.models import AIModel
from usage.models import BillProject, BillSource


class Place(NamedTuple):
    """What is compared as one on a day: a model by its key, and a project or what has none."""

    model: str
    project: int | None


class Matching:
    """The names of one source; asks the database once per name."""

    def __init__(self, source: BillSource) -> None:
        """Read which providers and projects the source is about."""
        self._directory = ModelDirectory()
        self.providers = tuple(dict.fromkeys(self._slug(name) for name in source.providers))
        mapped = BillProject.objects.filter(source=source, project__isnull=False)
        self._projects = frozenset(mapped.values_list("project_id", flat=True))
        self._keys: dict[tuple[tuple[str, ...], str, str], str] = {}
        self._names: dict[str, str] = {"": ""}
        self._told: dict[str, tuple[str, str]] = {}

    def covers(self, provider: str, model: str) -> bool:
        """Whether calls recorded under these names are of the source."""
        slug, _ = self._directory.sought_as(provider, model)
        return (slug or provider.strip().lower()) in self.providers

    def billed(self, model: str, project: int | None) -> Place:
        """Where a line of the bill belongs; a model "" is none."""
        key = self._key(self.providers, model, model) if model else ""
        return Place(key, project)

    def recorded(
        self, provider: str, model: str, response_model: str, project: int | None
    ) -> Place:
        """Where a recorded call belongs.

        Projects that the bill does not tell apart are one, and so are all if it tells none.
        """
        key = self._key((provider,), response_model or model, model)
        return Place(key, project if project in self._projects else None)

    def name_of(self, key: str) -> str:
        """The model's name as it is shown."""
        return self._names[key]

    def told_as(self, key: str) -> tuple[str, str]:
        """A provider and a model name by which the model was told."""
        return self._told[key]

    def _key(self, providers: tuple[str, ...], model: str, asked: str) -> str:
        memo = (providers, model, asked)
        if memo not in self._keys:
            self._keys[memo] = self._sought(*memo)
        return self._keys[memo]

    def _sought(self, providers: tuple[str, ...], model: str, asked: str) -> str:
        for provider in providers:
            found = self._known(provider, (model, asked))
            if found is not None:
                key, self._told[str(found)] = str(found), (provider, model)
                self._names[key] = self._names.get(key) or AIModel.objects.get(pk=found).name
                return key
        # Two names that no price list knows are the same model where they are the same word.
        name = model.lower()
        self._names.setdefault(f"={name}", model)
        self._told.setdefault(f"={name}", (next(iter(providers), ""), model))
        return f"={name}"

    def _known(self, provider: str, names: Iterable[str]) -> int | None:
        for name in dict.fromkeys(names):
            for meant in (
                *self._directory.models(provider, name),
                *self._directory.contracted(provider, name),
            ):
                return meant.model_id
        return None

    def _slug(self, name: str) -> str:
        word = name.strip().lower()
        return self._directory.provider(word) or word
