import pytest
from django.test import Client

from tests.config.project_data import a_project_month, shown, stop_the_clock
from tests.config.site_data import staff

pytestmark = pytest.mark.django_db
FILE = "/admin/projects/acme/web/ai-cost.csv"


@pytest.fixture(autouse=True)
def month(catalogue: None, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_the_clock(monkeypatch)
    a_project_month()


def test_a_tab_is_a_file_with_all_decimals(admin_client: Client) -> None:
    answer = shown(admin_client, "range=7d&tab=runs")
    assert answer.context["tab_csv_url"].startswith("/admin/projects/acme/web/ai-cost.csv?range=7d")
    files = {tab: admin_client.get(f"{FILE}?tab={tab}") for tab in ("", "months", "runs", "recent")}
    lines = {tab: file.text.splitlines() for tab, file in files.items()}

    assert files["runs"]["Content-Disposition"] == (
        'attachment; filename="tallyman-runs-2026-11.csv"'
    )
    assert lines[""][1] == "Implementation,1.8000000000,2,0,100000,100000,0"
    assert lines[""][4] == "not given,,1,0,500,0,1"
    assert lines["months"][5:] == [
        "2026-10-01,3.0000000000,1,0,0,200000,0",
        "2026-11-01,2.7000000000,5,1,300500,120000,1",
    ]
    assert lines["runs"][1].startswith("r1,push,success,2026-11-18T12:00:00")
    assert len(lines["recent"]) == 7
    assert lines["recent"][1].endswith(",500,0,")


def test_the_file_of_a_project_that_one_may_not_see_is_not_found(client: Client) -> None:
    client.force_login(staff("vera", "acme"))

    assert client.get(FILE).status_code == 200
    assert client.get(FILE.replace("acme", "globex")).status_code == 404
