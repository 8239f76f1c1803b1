import json
import time
from collections.abc import Callable
from urllib.request import Request, urlopen

from django.contrib.auth.models import User
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.browser.pages import WIDTHS, Open, resize, serious_findings, set_theme, sideways
from usage.organizations import ensure_organization

PAGE = "/admin/connect/"


def test_a_key_is_made_and_the_first_event_shows_by_itself(
    catalogue: None, open_as: Callable[[User], Open]
) -> None:
    ensure_organization("acme")
    boss = User.objects.create_superuser("boss", "", "pw")
    browser = open_as(boss)(f"{PAGE}?client=claude-code")
    browser.find_element(By.CSS_SELECTOR, "button.tm-go").click()
    progress = browser.find_element(By.ID, "progress")
    assert "Waiting for the first event" in progress.text
    lines = browser.find_element(By.ID, "lines-1").text
    key, endpoint = (
        lines.partition(mark)[2].partition(end)[0]
        for mark, end in (("Bearer ", '"'), ("OTLP_ENDPOINT=", "\n"))
    )

    words = {
        "event.name": "api_request", "model": "claude-sonnet-4-5", "input_tokens": "1200",
        "output_tokens": "300", "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy", "session.id": "s-1",
    }  # fmt: skip
    record = {
        "timeUnixNano": str(time.time_ns()),
        "body": {"stringValue": "claude_code.api_request"},
        "attributes": [{"key": key, "value": {"stringValue": word}} for key, word in words.items()],
    }
    body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with urlopen(Request(f"{endpoint}/v1/logs", body, headers)) as answer:
        assert answer.status == 200
    WebDriverWait(browser, 10).until(lambda _: "First event received" in progress.text)
    assert "1,500 tokens · $0.0081" in progress.text
    assert progress.find_element(By.TAG_NAME, "a").is_displayed()

    for theme in ("light", "dark"):
        set_theme(browser, theme)
        for width in WIDTHS:
            resize(browser, width)
            assert not sideways(browser)
        assert serious_findings(browser) == []
