from selenium.webdriver.chrome.webdriver import WebDriver

from tests.browser.pages import (
    WIDTHS,
    Open,
    faint_texts,
    resize,
    serious_findings,
    set_theme,
    sideways,
)

OWN_PART = "#content"
"""What frames every page is looked at with the overview."""
EACH_DARK = 4
"""Pages are made of the same parts, so that every fourth one shows them in dark."""


def too_wide(browser: WebDriver, path: str) -> list[tuple[str, str]]:
    found = []
    for width in WIDTHS:
        resize(browser, width)
        if sideways(browser):
            found.append((path, f"sideways at {width}"))
    return found


def findings(visit: Open, paths: list[str]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for place, path in enumerate(paths):
        browser = visit(path)
        found += too_wide(browser, path)
        set_theme(browser, "light")
        found += [(path, finding) for finding in serious_findings(browser, OWN_PART)]
        if place % EACH_DARK == 0:
            set_theme(browser, "dark")
            found += [(path, finding) for finding in faint_texts(browser, OWN_PART)]
    return found
