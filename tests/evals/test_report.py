"""The report: one file, safe against what models write, readable without JavaScript, alive with it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.evals import EvalResult, compare
from workbench.evals.diff import differences
from workbench.evals.report import fragment, html

EVIL = '</script><script>document.title="pwned"</script><img src=x onerror="document.title=\'pwned\'"> & "quotes" </details>'
METRICS = pd.DataFrame({"step": range(1, 41), "loss": [3.0 / s for s in range(1, 41)], "eval_loss": [None, 1.0] * 20})


def made(name: str = "support-quality") -> EvalResult:
    rows = [{"input": f"question {i}", "expected": f"answer {i}"} for i in range(12)] + [{"input": EVIL, "expected": EVIL}]

    def base(text: str) -> str:
        return text.replace("question", "answer") if text < "question 5" else "no idea at all"

    def tuned(text: str) -> str:
        if text == "question 2":
            raise TimeoutError(EVIL)
        return "wrong" if text == "question 1" else text.replace("question", "answer")

    return compare(base, tuned, evalset=rows, scorers=["exact", "f1"], names=["base", "<b>tuned</b>"], name=name)


class Outline(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, Any]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.usefixtures("home")
def test_it_is_one_well_formed_file_that_asks_for_nothing() -> None:
    page = html(made(EVIL), metrics=METRICS)
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    tags = [tag for tag, _ in outline.tags]
    assert tags.count("script") == tags.count("style") == 1
    assert not {"img", "link", "iframe", "object", "embed", "base"} & set(tags)
    for _, attributes in outline.tags:
        assert not {"src", "href"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]
    assert "default-src 'none'" in page
    assert not re.search(r"https?://|@import|url\(", page)


@pytest.mark.usefixtures("home")
def test_it_shows_every_row_model_and_score() -> None:
    page = html(made(), metrics=METRICS)
    for words in (
        "support-quality",
        "Exact match",
        "F1",
        "Latency, median",
        "question 11",
        "13 rows, 1 error",
        "Training loss",
        "95% CI",
        "improved",
    ):
        assert words in page
    assert page.count('<details class="r"') == 13
    assert "Training loss" not in html(made(), metrics=METRICS[["step"]])


@pytest.mark.usefixtures("home")
def test_a_result_that_was_stopped_or_is_empty_can_be_saved(tmp_path: Path) -> None:
    empty = EvalResult("nothing yet", ("m",), (), 5)
    empty.finish("cancelled")
    path = empty.save_html(tmp_path / "deep" / "report.html")
    assert "Stopped early" in path.read_text()
    assert path.is_absolute()


@pytest.mark.usefixtures("home")
def test_the_fragment_of_a_notebook_is_escaped_too() -> None:
    assert "<b>tuned" not in fragment(made())


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_word_diff_loses_no_letter(a: str, b: str) -> None:
    left, right = differences(a, b)
    assert "".join(t for t, _ in left) == a
    assert "".join(t for t, _ in right) == b


def test_a_word_diff_marks_whole_phrases() -> None:
    left, right = differences("return it within 60 days for store credit.", "return it within 30 days for a refund.")
    assert [t for t, own in left if own] == ["60", "store credit"]
    assert [t for t, own in right if own] == ["30", "a refund"]
    assert differences("yes", "the moon is far") == ([("yes", False)], [("the moon is far", False)])
