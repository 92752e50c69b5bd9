"""A headless Chromium for each module; tests that ask for it skip with the reason where there is none."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import NoChromium, find_chromium


# Playwright's event loop runs as long as this fixture: other modules could use neither Django's ORM nor asyncio.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        chromium = find_chromium()
    except NoChromium as reason:
        pytest.skip(str(reason))
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=chromium.executable,
            args=[*chromium.arguments, "--disable-dev-shm-usage"],
            env=dict(os.environ) | chromium.environment,
        )
        yield launched
        launched.close()
