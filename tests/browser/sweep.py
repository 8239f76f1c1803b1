from selenium.webdriver.chrome.webdriver import WebDriver

from tests.browser.pages import WIDTHS, Open, resize, serious_findings, set_theme, sideways

OWN_PART, CONTRAST = "#content", "color-contrast"
"""What frames every page is looked at with the overview."""


def too_wide(browser: WebDriver, path: str) -> list[tuple[str, str]]:
    found = []
    for width in WIDTHS:
        resize(browser, width)
        if sideways(browser):
            found.append((path, f"sideways at {width}"))
    return found


def findings(visit: Open, paths: list[str]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for path in paths:
        browser = visit(path)
        found += too_wide(browser, path)
        set_theme(browser, "light")
        found += [(path, finding) for finding in serious_findings(browser, OWN_PART)]
        set_theme(browser, "dark")
        found += [(path, finding) for finding in serious_findings(browser, OWN_PART, CONTRAST)]
    return found
