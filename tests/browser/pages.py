from collections.abc import Callable
from importlib.resources import files
from typing import Any

from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

Open = Callable[[str], WebDriver]
WIDTHS = (1280, 800)
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()

PAINTED_UNLIKE = """(root) => {
  const grounds = new Map(), counts = new Map();
  const ground = (element) => {
    if (!element) return '';
    if (!grounds.has(element)) {
      const { backgroundColor, backgroundImage, opacity } = getComputedStyle(element);
      const bare = backgroundColor === 'rgba(0, 0, 0, 0)' && backgroundImage === 'none';
      const own = bare && opacity === '1' ? '' : [backgroundColor, backgroundImage, opacity, '|'];
      grounds.set(element, own + ground(element.parentElement));
    }
    return grounds.get(element);
  };
  const isText = (node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim();
  const isField = (element) => element.matches('input, select, textarea');
  return [...root.querySelectorAll('*')].filter((element) => {
    if (!isField(element) && ![...element.childNodes].some(isText)) return false;
    if (!element.checkVisibility()) return false;
    const { color, fontSize, fontWeight, textShadow, position } = getComputedStyle(element);
    const look = [element.tagName, element.matches(':disabled'), color, fontSize, fontWeight,
                  textShadow, position, ground(element)].join();
    counts.set(look, (counts.get(look) ?? 0) + 1);
    return counts.get(look) <= 3;
  });
}"""
"""A function that gives the first three of each sort of text."""


def console(browser: WebDriver) -> list[dict[str, str]]:
    found: list[dict[str, str]] = browser.execute("getLog", {"type": "browser"})["value"]
    return found


def wait(browser: WebDriver, condition: Callable[[WebDriver], Any]) -> Any:
    return WebDriverWait(browser, 10, poll_frequency=0.05).until(condition)


def drawn(browser: WebDriver, plot: str = "spend") -> int:
    found: str = wait(
        browser,
        lambda b: b.find_element(By.ID, f"{plot}-chart").get_attribute("data-drawn"),
    )
    return int(found)


def chart(browser: WebDriver, expression: str, plot: str = "spend") -> Any:
    return browser.execute_script(
        f"const chart = Chart.getChart('{plot}-chart'); return {expression};"
    )


def sideways(browser: WebDriver) -> bool:
    script = "return document.documentElement.scrollWidth > window.innerWidth"
    return bool(browser.execute_script(script))


def resize(browser: WebDriver, width: int) -> None:
    size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def set_theme(browser: WebDriver, theme: str) -> None:
    media = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.execute_script(f"document.documentElement.dataset.theme = '{theme}'")
    # Links fade from one colour to the next; half way they stand out from nothing.
    browser.execute_script("document.getAnimations().forEach((each) => each.finish())")


def as_before(browser: WebDriver) -> None:
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def serious_findings(browser: WebDriver, within: str = "html") -> list[str]:
    """What axe finds wrong, and texts that stand out too little."""
    others = {"rules": {"color-contrast": {"enabled": False}}}
    return _axe(browser, "[document.querySelector(within)]", within, others) + faint_texts(
        browser, within
    )


def faint_texts(browser: WebDriver, within: str = "html") -> list[str]:
    """To look at the ground of a text takes axe long: it gets a few of those that are painted
    alike."""
    only = {"runOnly": ["color-contrast"]}
    return _axe(browser, f"({PAINTED_UNLIKE})(document.querySelector(within))", within, only)


def _axe(browser: WebDriver, elements: str, within: str, options: dict[str, Any]) -> list[str]:
    if not browser.execute_script("return 'axe' in window"):
        browser.execute_script(AXE)
    # To look into imported style sheets axe would add styles of its own, which the policy stops.
    found = browser.execute_async_script(
        f"const [within, options, done] = arguments; const include = {elements};"
        "if (!include.length) done([]);"
        "else axe.run({include}, {resultTypes: ['violations'], preload: false, ...options})"
        ".then(r => done(r.violations)).catch(e => done([{impact: 'serious', id: String(e),"
        " nodes: []}]));",
        within,
        options,
    )
    return [
        f"{each['id']}: {node['html'][:160]}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"] or [{"html": ""}]
    ]
