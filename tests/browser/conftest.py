"""A real browser before a real server: headless Chromium, clicking like an editor."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.browser.person import Person

_CHROMIUM, _DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test in this folder needs the browser."""
    here = Path(__file__).parent
    missing = [str(each) for each in (_CHROMIUM, _DRIVER) if not shutil.which(str(each))]
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if missing:
                item.add_marker(
                    pytest.mark.skip(
                        reason=f"BROWSER TESTS NOT RUN: {' and '.join(missing)} missing; "
                        "apt-get install chromium chromium-driver"
                    )
                )


@pytest.fixture
def browser() -> Iterator[Callable[..., webdriver.Chrome]]:
    """Opens windows, each with cookies of its own: `browser(width=390)`."""
    opened: list[webdriver.Chrome] = []

    def open_window(width: int = 1280, height: int = 1000, *, dark: bool = False):
        window = _chromium(width, height, dark=dark)
        opened.append(window)
        return window

    yield open_window
    for window in opened:
        window.quit()


@pytest.fixture
def at_the_browser(live_server, browser) -> Callable[..., Person]:
    """Somebody signed in through the login form: `at_the_browser(edda)`."""

    def sit_down(user: User, **window) -> Person:
        person = Person(browser(**window), live_server.url)
        person.signs_in(user.username, "correct horse")
        return person

    return sit_down


def _chromium(width: int, height: int, *, dark: bool) -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    options.binary_location = str(_CHROMIUM)
    for argument in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--disable-background-networking", "--disable-component-update", "--no-first-run",
        "--hide-scrollbars", f"--window-size={width},{height}",
    ):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    window = webdriver.Chrome(options=options, service=Service(str(_DRIVER)))
    window.set_page_load_timeout(60)
    if width < 500:  # a window can't be made so narrow; a phone can
        window.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": True},
        )
    if dark:
        window.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {"features": [{"name": "prefers-color-scheme", "value": "dark"}]},
        )
    return window
