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

from usage.ingest.prepare import Prepared, Tenant
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
_projects: Remembered[_Scoped, int] = Remembered()
_teams: Remembered[_Scoped, int] = Remembered()
_subjects: Remembered[_Scoped, int] = Remembered()
_profiles: Remembered[_Scoped, tuple[str, str]] = Remembered()
_kinds: Remembered[KindWords, int] = Remembered()
_CACHES: tuple[Remembered[Any, Any], ...] = (_projects, _teams, _subjects, _profiles, _kinds)


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
    """Make every name of the batch known; by index, events whose subject may not be created."""
    for cache in _CACHES:
        cache.grow_old()
    projects: set[_Scoped] = set()
    teams: set[_Scoped] = set()
    subjects: set[_Scoped] = set()
    for p in prepared:
        organization, event = p.tenant.id, p.event
        if event.project is not None:
            projects.add((organization, event.project))
        if event.team is not None:
            teams.add((organization, event.team))
        if p.subject is not None:
            subjects.add((organization, p.subject))
    _learn(Project, "slug", _projects, projects)
    _learn(Team, "slug", _teams, teams)
    closed = {p.tenant.id for p in prepared if p.tenant.known_subjects_only}
    _learn(Subject, "key", _subjects, subjects, closed)
    _learn_profiles({(p.tenant.id, p.profile.key): p.profile for p in prepared if p.profile})
    if all(_subjects.knows(subject) for subject in subjects):
        return {}
    return {
        p.index: Rejection(
            [FieldError("subject", "unknown_subject", f"The subject {p.subject!r} is not known.")],
            p.event.event_id,
        )
        for p in prepared
        if p.subject is not None and not _subjects.knows((p.tenant.id, p.subject))
    }


def ids_of(p: Prepared) -> tuple[int | None, int | None, int | None]:
    """The project, team and subject ids of an event that `resolve` has seen."""
    organization, event = p.tenant.id, p.event
    return (
        None if event.project is None else _projects[organization, event.project],
        None if event.team is None else _teams[organization, event.team],
        None if p.subject is None else _subjects[organization, p.subject],
    )


UNKNOWN = -1
"""Stands for the id of a name that nobody has made known."""


def look_up(p: Prepared) -> tuple[int | None, int | None, int | None]:
    """Like `ids_of` for an event that `resolve` has not seen; makes no name known, but tells
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
    return found[0], found[1], found[2]


def columns(p: Prepared) -> str:
    """What `ids_of` tells, as COPY text."""
    return "\t".join(["\\N" if pk is None else str(pk) for pk in ids_of(p)])


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


def _learn_profiles(sent: dict[_Scoped, SubjectValue]) -> None:
    for scoped, profile in sent.items():
        facts = (profile.email, profile.display_name)
        if not _subjects.knows(scoped) or _profiles.get(scoped) == facts or not any(facts):
            continue
        changes = {
            name: value
            for name, value in zip(("email", "display_name"), facts, strict=True)
            if value
        }
        Subject.objects.filter(pk=_subjects[scoped]).exclude(**changes).update(**changes)
        _profiles[scoped] = facts
