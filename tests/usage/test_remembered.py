import pytest

from tests.usage.conftest import event
from usage.ingest import identities, remembered
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.remembered import Remembered
from usage.models import Project


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MAX_REMEMBERED", 2)


def filled(*names: str) -> Remembered[str, int]:
    memory: Remembered[str, int] = Remembered()
    memory.update({name: position for position, name in enumerate(names)})
    return memory


@pytest.mark.usefixtures("small")
def test_what_was_just_learnt_is_known_after_one_more_generation_begins() -> None:
    memory = filled("a", "b", "c")

    memory.grow_old()

    assert memory.knows("a")
    assert memory["a"] == 0


@pytest.mark.usefixtures("small")
def test_what_nobody_asked_for_during_a_generation_is_forgotten() -> None:
    memory = filled("asked", "idle", "third")
    memory.grow_old()
    assert memory["asked"] == 0
    memory.update(d=4, e=5)

    memory.grow_old()

    assert memory.knows("asked")
    assert not memory.knows("idle")


@pytest.mark.usefixtures("small")
def test_a_generation_that_is_not_full_goes_on() -> None:
    memory = filled("a", "b")

    memory.grow_old()

    assert "a" in memory


@pytest.mark.django_db
@pytest.mark.usefixtures("small")
def test_very_many_names_are_stored_right_though_few_are_remembered(caller: Caller) -> None:
    for number in range(12):
        fields = {"project": f"p{number}", "subject": f"s{number}", "model": f"m{number}"}
        ingest([event(f"first-{number}", **fields)], caller)
    for number in range(12):
        ingest([event(f"again-{number}", project=f"p{number}")], caller)

    assert Project.objects.count() == 12
    for memory in (identities._projects, identities._subjects, identities._kinds):
        assert len(memory) <= 3
