"""Names in events → row ids, creating projects, teams, subjects and kinds on first sight.

Identities are never deleted, so an id once read stays true and each process keeps
what it has seen. Rows are made in statements of their own, before the transaction
that stores events, so that ingest never waits for another batch's new project.
"""

from collections import defaultdict
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, TypeVar
from uuid import UUID

from usage.ingest.prepare import Place, Prepared, Tenant
from usage.ingest.remembered import Remembered
from usage.ingest.values import FieldError, Rejection, SubjectValue
from usage.models import CallKind, Organization, Project, Subject, Team

KindWords = tuple[str, str, str, str, str, str, str, str, str, bool]
KIND_FIELDS = (
    "provider", "model", "response_model", "operation", "action", "agent_type", "run_trigger",
    "billing_scope", "service_tier", "free_tier",
)  # fmt: skip

Named = TypeVar("Named", Project, Team, Subject)
_Scoped = tuple[int, str]
_Names = tuple[int, str | None, str | None, str | None]
_projects: Remembered[_Scoped, int] = Remembered()
_teams: Remembered[_Scoped, int] = Remembered()
_subjects: Remembered[_Scoped, int] = Remembered()
_profiles: Remembered[int, tuple[str, str]] = Remembered()
_kinds: Remembered[KindWords, int] = Remembered()
_places: Remembered[_Names, Place] = Remembered()
_CACHES: tuple[Remembered[Any, Any], ...] = (
    _projects, _teams, _subjects, _profiles, _kinds, _places,
)  # fmt: skip


def forget() -> None:
    """Drop everything this process remembers."""
    for cache in _CACHES:
        cache.forget()


def find_tenants(slugs: Iterable[str]) -> dict[str, Tenant]:
    """The organizations called `slugs` that are not archived, by slug."""
    rows = Organization.objects.filter(slug__in=set(slugs), archived_at=None)
    return {row.slug: tenant_of(row) for row in rows}


def tenant_of(organization: Organization) -> Tenant:
    """The part of an organization that ingest needs."""
    return Tenant(
        organization.pk,
        organization.slug,
        organization.subject_policy == Organization.SubjectPolicy.KNOWN,
        organization.rate_card_id,
    )


def resolve(prepared: list[Prepared]) -> dict[int, Rejection]:
    """Give each event of the batch its place, making its names known; by index, events whose
    subject may not be created."""
    for cache in _CACHES:
        cache.grow_old()
    strange = []
    for p in prepared:
        event = p.event
        try:
            p.place = _places[p.tenant.id, event.project, event.team, p.subject]
        except KeyError:
            strange.append(p)
    refused = _introduce(strange) if strange else {}
    _learn_profiles({p.place.subject: p.profile for p in prepared if p.profile})
    return refused


def _introduce(strange: list[Prepared]) -> dict[int, Rejection]:
    """Place events with names that were never seen together; by index, those that may not be."""
    names = {(p.tenant.id, p.event.project, p.event.team, p.subject) for p in strange}
    _learn(Project, "slug", _projects, {(o, name) for o, name, _, _ in names if name is not None})
    _learn(Team, "slug", _teams, {(o, name) for o, _, name, _ in names if name is not None})
    closed = {p.tenant.id for p in strange if p.tenant.known_subjects_only}
    subjects = {(o, name) for o, _, _, name in names if name is not None}
    _learn(Subject, "key", _subjects, subjects, closed)
    refused: dict[int, Rejection] = {}
    for p in strange:
        if p.subject is not None and not _subjects.knows((p.tenant.id, p.subject)):
            message = f"The subject {p.subject!r} is not known."
            fault = FieldError("subject", "unknown_subject", message)
            refused[p.index] = Rejection([fault], p.event.event_id)
        else:
            p.place = _place_of(p)
            _places[p.tenant.id, p.event.project, p.event.team, p.subject] = p.place
    return refused


def _place_of(p: Prepared) -> Place:
    organization, event = p.tenant.id, p.event
    return Place(
        None if event.project is None else _projects[organization, event.project],
        None if event.team is None else _teams[organization, event.team],
        None if p.subject is None else _subjects[organization, p.subject],
    )


UNKNOWN = -1
"""Stands for the id of a name that nobody has made known."""


def look_up(p: Prepared) -> Place:
    """The place of an event that `resolve` has not seen; makes no name known, but tells
    UNKNOWN for it."""
    organization = p.tenant.id
    found = []
    named: tuple[tuple[type[Any], str, Remembered[_Scoped, int], str | None], ...] = (
        (Project, "slug", _projects, p.event.project),
        (Team, "slug", _teams, p.event.team),
        (Subject, "key", _subjects, p.subject),
    )
    for model, column, known, name in named:
        scoped = organization, name or ""
        if name is not None:
            _learn(model, column, known, {scoped}, {organization})
        found.append(None if name is None else known[scoped] if known.knows(scoped) else UNKNOWN)
    return Place(*found)


def kind_ids(wanted: set[KindWords]) -> dict[KindWords, int]:
    """The ids of kinds of calls, made where they are new."""
    new = [words for words in wanted if not _kinds.knows(words)]
    if new:
        digests = {_kind_digest(words): words for words in new}
        rows = [
            CallKind(digest=digest, **dict(zip(KIND_FIELDS, words, strict=True)))
            for digest, words in sorted(digests.items())
        ]
        CallKind.objects.bulk_create(rows, ignore_conflicts=True)
        found = CallKind.objects.filter(digest__in=digests).values_list("digest", "pk")
        _kinds.update({digests[digest]: pk for digest, pk in found})
    return _kinds


def _kind_digest(words: KindWords) -> UUID:
    text = "\0".join(map(str, words))
    return UUID(bytes=blake2b(text.encode(), digest_size=16).digest())


def _learn(
    model: type[Named],
    column: str,
    known: Remembered[_Scoped, int],
    wanted: set[_Scoped],
    closed: set[int] | frozenset[int] = frozenset(),
) -> None:
    by_organization: dict[int, list[str]] = defaultdict(list)
    for organization, name in wanted:
        if not known.knows((organization, name)):
            by_organization[organization].append(name)
    for organization, names in by_organization.items():
        if organization not in closed:
            fresh = [
                model(organization_id=organization, **{column: name}) for name in sorted(names)
            ]
            model.objects.bulk_create(fresh, ignore_conflicts=True)
        found = model.objects.filter(organization_id=organization, **{f"{column}__in": names})
        known.update({(organization, name): pk for name, pk in found.values_list(column, "pk")})


def _learn_profiles(sent: dict[int | None, SubjectValue]) -> None:
    for subject, profile in sent.items():
        facts = (profile.email, profile.display_name)
        if subject is None or _profiles.get(subject) == facts or not any(facts):
            continue
        changes = {
            name: value
            for name, value in zip(("email", "display_name"), facts, strict=True)
            if value
        }
        Subject.objects.filter(pk=subject).exclude(**changes).update(**changes)
        _profiles[subject] = facts
