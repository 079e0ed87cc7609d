"""The HTML report of an evaluation in a real browser, from a file, without a server."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser

from workbench.evals import EvalResult, compare

EVIL = '</script><script>document.title="pwned"</script><img src=x onerror="document.title=\'pwned\'"> & "quotes" </details>'
METRICS = pd.DataFrame({"step": range(1, 41), "loss": [3.0 / s for s in range(1, 41)], "eval_loss": [None, 1.0] * 20})


def made() -> EvalResult:
    rows = [{"input": f"question {i}", "expected": f"answer {i}"} for i in range(12)] + [{"input": EVIL, "expected": EVIL}]

    def base(text: str) -> str:
        return text.replace("question", "answer") if text < "question 5" else "no idea at all"

    def tuned(text: str) -> str:
        if text == "question 2":
            raise TimeoutError(EVIL)
        return "wrong" if text == "question 1" else text.replace("question", "answer")

    return compare(base, tuned, evalset=rows, scorers=["exact", "f1"], names=["base", "<b>tuned</b>"], name="support-quality")


@pytest.mark.usefixtures("home")
def test_in_a_browser_filters_work_and_nothing_of_a_model_runs(browser: Browser, tmp_path: Path) -> None:
    path = made().save_html(tmp_path / "r.html", metrics=METRICS)
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text))
    page.on("request", lambda r: complaints.append(r.url) if not r.url.startswith("file:") else None)
    page.goto(path.as_uri())
    shown = page.locator("details.r:visible")
    assert shown.count() == 13
    page.click("[data-filter=regressed]")
    assert shown.count() == 2
    page.click("[data-filter=errors]")
    assert shown.count() == 1
    page.click("[data-filter=all]")
    page.fill("#search", "QUESTION 11")
    assert shown.count() == 1
    page.fill("#search", "nowhere to be found")
    assert page.locator(".none").is_visible()
    page.fill("#search", "")
    shown.first.locator("summary").click()
    assert page.locator(".drawer:visible").count() == 1
    assert page.title() == "support-quality"
    assert complaints == []


@pytest.mark.usefixtures("home")
def test_without_javascript_in_the_dark_every_row_opens(browser: Browser, tmp_path: Path) -> None:
    path = made().save_html(tmp_path / "r.html")
    page = browser.new_context(java_script_enabled=False, color_scheme="dark", viewport={"width": 600, "height": 800}).new_page()
    page.goto(path.as_uri())
    assert page.locator("#bar").is_hidden()
    assert page.locator("details.r:visible").count() == 13
    page.locator("details.r summary").nth(1).click()
    assert page.locator(".drawer").nth(1).is_visible()
