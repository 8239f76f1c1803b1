"""Storing what was read of bills: a day that is read again replaces what it said before."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models.functions import Now

from usage.bills.values import Reading, ReadLine
from usage.models import BillDay, BillLine, BillProject, BillSource


@dataclass(frozen=True, slots=True)
class Stored:
    """What came of it: days of which something was new or otherwise, and those that say the
    same as before. A day that two reports tell of is one."""

    changed: frozenset[date] = frozenset()
    same: frozenset[date] = frozenset()
    lines: int = 0

    def __add__(self, other: "Stored") -> "Stored":
        changed = self.changed | other.changed
        return Stored(changed, (self.same | other.same) - changed, self.lines + other.lines)


@transaction.atomic
def store_readings(source: BillSource, readings: Sequence[Reading]) -> Stored:
    """Replace what the reports said of the days that they cover now; all of it or nothing.

    Days that say the same as before are left as they are.
    """
    # Two that store for one source take turns, so that the later one wins as a whole.
    BillSource.objects.select_for_update().get(pk=source.pk)
    projects = _projects(source, [line for reading in readings for line in reading.lines])
    result = Stored()
    for reading in readings:
        by_day: dict[date, list[ReadLine]] = defaultdict(list)
        for line in reading.lines:
            by_day[line.day].append(line)
        for day in sorted(reading.days):
            result += _store_day(source, reading.report, day, by_day[day], projects)
    return result


def _store_day(
    source: BillSource,
    report: BillDay.Report,
    day: date,
    lines: list[ReadLine],
    projects: dict[str, int],
) -> Stored:
    digest = _digest(lines)
    found = BillDay.objects.filter(source=source, day=day, report=report).first()
    if found is not None and found.digest == digest:
        return Stored(same=frozenset((day,)))
    if found is None:
        found = BillDay.objects.create(source=source, day=day, report=report, digest=digest)
    else:
        found.lines.all().delete()
        BillDay.objects.filter(pk=found.pk).update(digest=digest, changed_at=Now())
    BillLine.objects.bulk_create(_rows(found, lines, projects), batch_size=1000)
    return Stored(frozenset((day,)), lines=len(lines))


def _rows(bill_day: BillDay, lines: Iterable[ReadLine], projects: dict[str, int]) -> list[BillLine]:
    return [
        BillLine(
            bill_day=bill_day,
            bill_project_id=projects[line.external_id],
            model=line.model,
            description=line.description,
            tier=line.tier,
            quantities=dict(line.quantities),
            meter=line.meter,
            amount=line.amount,
            currency=line.currency,
        )
        for line in lines
    ]


def _projects(source: BillSource, lines: Iterable[ReadLine]) -> dict[str, int]:
    """The source's projects by the provider's id, made on first sight."""
    names: dict[str, str] = {}
    for line in lines:
        names[line.external_id] = line.external_name or names.get(line.external_id, "")
    new = [
        BillProject(source=source, external_id=external_id, external_name=name)
        for external_id, name in names.items()
    ]
    BillProject.objects.bulk_create(new, ignore_conflicts=True)
    known = BillProject.objects.filter(source=source, external_id__in=names)
    for row in known:
        if names[row.external_id] not in ("", row.external_name):
            known.filter(pk=row.pk).update(external_name=names[row.external_id])
    return dict(known.values_list("external_id", "pk"))


def _digest(lines: Iterable[ReadLine]) -> UUID:
    """A hash of lines, whatever their order: what providers send has none."""
    told = sorted(msgspec.json.encode(line, order="sorted") for line in lines)
    return UUID(bytes=hashlib.blake2b(b"\n".join(told), digest_size=16).digest())
