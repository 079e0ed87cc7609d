"""The page of a served function, in a real browser: read it, try it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

import workbench as wb


def test_the_page_shows_and_tries_what_a_server_offers(browser: Browser, home: Path) -> None:
    class Till:
        """Counts what was sold."""

        def __init__(self) -> None:
            self.sold = 0

        def __call__(self, pieces: int) -> int:
            self.sold += pieces
            return self.sold

        def reset(self) -> None:
            """Begin <b>again</b>."""
            self.sold = 0

        @wb.FastapiApp.get("/sold/{unit}")
        def report(self, unit: str, factor: int = 1) -> dict[str, object]:
            return {"unit": unit, "sold": self.sold * factor}

    server = wb.ServerModule(Till(), name="till").start()
    page = browser.new_page()
    try:
        foreign: list[str] = []
        page.on("request", lambda request: foreign.append(request.url) if not request.url.startswith(server.url[:20]) else None)
        page.goto(server.url.replace("/generate", "/docs"))
        page.get_by_label("Key").fill("wrong")
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_role("alert")).to_have_text("The key is not the server's.")
        page.get_by_label("Key").fill(Path(server.endpoint.key_file).read_text())
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_role("heading")).to_have_text("till")

        call = page.locator("details", has_text="/generate")
        call.locator("summary").click()
        call.get_by_label("Body").fill('{"input": 3}')
        call.get_by_role("button").click()
        expect(call.locator("pre")).to_have_text("3")

        method = page.locator("details", has_text="/call/reset")
        method.locator("summary").click()
        expect(method).to_contain_text("Begin <b>again</b>.")  # a docstring is text

        route = page.locator("details", has_text="/sold/{unit}")
        route.locator("summary").click()
        route.get_by_label("unit (path)").fill("a b/c")
        route.get_by_label("factor (query)").fill("2")
        route.get_by_role("button").click()
        expect(route.locator("pre")).to_contain_text("404")  # a slash is no part of this path
        route.get_by_label("unit (path)").fill("kg & co")
        route.get_by_role("button").click()
        expect(route.locator("pre")).to_contain_text('"sold": 6')
        expect(route.locator("pre")).to_contain_text('"unit": "kg & co"')
        assert foreign == []
    finally:
        page.close()
