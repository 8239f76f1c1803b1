"""The made-up organizations of the demonstration: zones, teams, people, projects, services."""

from dataclasses import dataclass

from usage.ingest.values import SubjectValue


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, or some service, that triggers calls."""

    subject: SubjectValue
    team: str
    own_key: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """A project and the features that calls in it are tagged with.

    Agents of a `careless` one change their prompts at the start, so that caches rarely help.
    """

    project: str
    features: tuple[str, ...]
    weight: float
    careless: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """A cost centre with the projects and teams that are charged to it.

    It took over `later_projects` half a year ago.
    """

    code: str
    name: str
    projects: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    later_projects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Company:
    """One organization; `size` scales how much it does.

    `labels` is a project that has texts labelled by the best model there is.
    """

    slug: str
    name: str
    time_zone: str
    size: float
    people: tuple[Person, ...]
    services: tuple[Person, ...]
    works: tuple[Work, ...]
    accounts: tuple[Account, ...]
    labels: str = ""


def _people(domain: str, **teams: str) -> tuple[Person, ...]:
    """People by team from `First Last, First Last*` (* = brings an own provider key)."""
    found = []
    for team, names in teams.items():
        for entry in names.split(", "):
            name = entry.rstrip("*")
            key = name.lower().replace(" ", ".")
            subject = SubjectValue(key, f"{key}@{domain}", name)
            found.append(Person(subject, team, own_key=entry.endswith("*")))
    return tuple(found)


def _services(**teams: str) -> tuple[Person, ...]:
    return tuple(
        Person(SubjectValue(name, display_name=f"{name} (service)"), team)
        for team, names in teams.items()
        for name in names.split(", ")
    )


COMPANIES = (
    Company(
        slug="acme",
        name="Acme",
        time_zone="Europe/Berlin",
        size=1.0,
        people=_people(
            "acme.example",
            platform="Anna Weber, Ben Krüger, Clara Vogel, Deniz Aydin*",
            storefront="Eva Lang, Felix Brandt, Greta Sommer, Hannes Wolf",
            data="Ida Fuchs, Jonas Berg*, Klara Roth, Lukas Stein",
        ),
        services=_services(platform="nightly-builder", storefront="support-bot", data="indexer"),
        works=(
            Work("checkout", ("cart", "payment", "refunds"), 5),
            Work("storefront", ("search", "recommendations", "support"), 4),
            Work("platform-api", ("auth", "webhooks"), 3),
            Work("data-lake", ("labelling", "reports"), 2),
        ),
        accounts=(
            Account("4100", "Online shop", projects=("checkout", "storefront")),
            Account("4200", "Engineering", projects=("platform-api",), teams=("platform",)),
            Account("4300", "Data office", later_projects=("data-lake",)),
        ),
    ),
    Company(
        slug="globex",
        name="Globex",
        time_zone="America/New_York",
        size=0.6,
        people=_people(
            "globex.example",
            apps="Marcus Reed, Nora Quinn, Owen Blake*",
            research="Priya Shah, Quentin Cole, Rosa Diaz",
            growth="Sam Turner, Tara Wells",
        ),
        services=_services(apps="release-bot", growth="campaign-writer"),
        works=(
            Work("mobile-app", ("onboarding", "chat"), 4),
            Work("lab-notebook", ("summaries", "literature"), 3),
            Work("campaigns", ("copy", "segments"), 2),
        ),
        accounts=(
            Account("APP", "Mobile", projects=("mobile-app",)),
            Account("R&D", "Research", teams=("research",)),
        ),
        labels="campaigns",
    ),
    Company(
        slug="initech",
        name="Initech",
        time_zone="Asia/Kolkata",
        size=0.45,
        people=_people(
            "initech.example",
            billing="Uma Nair, Vikram Rao, Wasim Khan",
            tools="Xenia Dsouza, Yash Mehta*, Zara Iyer",
        ),
        services=_services(billing="invoice-reader", tools="dependency-bot"),
        works=(
            Work("invoicing", ("extraction", "matching"), 4),
            Work("dev-tools", ("codegen", "upgrades"), 3, careless=True),
        ),
        accounts=(
            Account("10-200", "Billing", projects=("invoicing",), teams=("billing",)),
            Account("10-300", "Tools", projects=("dev-tools",)),
        ),
    ),
)
