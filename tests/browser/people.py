"""A person at a browser: signs in, goes to pages, and notes everything that the browser complains about."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

WAIT_MS = 60_000


@dataclass
class Person:
    """One browser context. `complaints` are errors of scripts, of the content security policy, and of the server."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    @classmethod
    def signed_in(cls, browser: Browser, address: str, username: str, password: str) -> Person:
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.set_default_timeout(WAIT_MS)
        person = cls(context.new_page(), address)
        person.page.on("console", person._note_console)
        person.page.on("pageerror", lambda error: person.complaints.append(str(error)))
        person.go("/")
        person.page.get_by_label("User name").fill(username)
        person.page.get_by_label("Password").fill(password)
        person.press("Sign in")
        person.sees("link", "Strategies")
        return person

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def go(self, path: str) -> None:
        answer = self.page.goto(f"{self.address}{path}")
        assert answer is not None
        assert answer.status == 200, f"{path} answers {answer.status}"

    def press(self, name: str, within: Locator | None = None) -> None:
        (within or self.page).get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str | re.Pattern[str]) -> None:
        """Follow a link with Enter, which a notice that moves the page cannot take away, to a page that answers."""
        link = self.page.get_by_role("link", name=name, exact=isinstance(name, str))
        with self.page.expect_navigation() as going:
            link.press("Enter")
        answer = going.value
        assert answer is not None
        assert answer.status == 200, f"{answer.url} answers {answer.status}"

    def sees(self, role: str, name: str) -> None:
        expect(self.page.get_by_role(role, name=name, exact=True)).to_be_visible(timeout=WAIT_MS)  # type: ignore[arg-type]

    def reads(self, text: str) -> None:
        """Some visible notice says this."""
        notices = self.page.locator(".notice:visible")
        try:
            expect(notices.filter(has_text=text)).to_have_count(1, timeout=WAIT_MS)
        except AssertionError as error:
            raise AssertionError(f"{self.page.url} says {notices.all_inner_texts()}, not {text!r}") from error

    def status(self, name: str) -> Locator:
        """One item of the status bar."""
        return self.page.locator(f'[data-status="{name}"]')

    def figure(self, column: str) -> Locator:
        """The first live cell of a column."""
        return self.page.locator(f'[data-k="{column}"]').first

    def waits_for_number(self, cell: Locator, least: int = 1) -> int:
        """Wait until a live cell shows a number of at least `least`; return it."""
        pattern = re.compile(r"^[1-9][\d,]*$") if least == 1 else re.compile(r"^[\d,]+$")
        expect(cell).to_have_text(pattern, timeout=WAIT_MS)
        return int(cell.inner_text().replace(",", ""))
