"""Streamed answers in a real notebook: coloured, each in its own style, under the cell that asked; a tree of modules as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from workbench.runtime.work import jobs

START = """
import workbench as wb
from workbench.flows import parallel, pipeline
m = wb.TrainableModule('m').deploy_method(wb.deploy.dummy, text='The answer of a model that streams, word by word.', delay=0.02)
m.start()
"""
ONE = "m('hi', stream={'color': 'green', 'prefix': 'AI: ', 'prefix_color': 'blue', 'suffix': ' End', 'suffix_color': 'red'});"
TWO = """
alpha = m.share(stream={'color': 'green', 'prefix': 'alpha: ', 'prefix_color': 'blue'})
beta = m.share(stream={'color': 'magenta', 'prefix': 'beta: ', 'prefix_color': 'red'})
flow = pipeline(parallel(alpha, beta), lambda a, b: a)
flow('hi')
wb.StreamCallHelper(flow).show('hi');
"""
FACES = """
n = wb.TrainableModule('n').deploy_method(wb.deploy.dummy)
class Both(wb.ModuleBase):
    def __init__(self):
        super().__init__()
        self.one, self.other = n.share(), n.share(prompt='Be brief.')
Both().start(); n.name
"""
TREE = """
class Agent(wb.ModuleBase):
    def __init__(self):
        super().__init__()
        self.flow = flow
Agent()
"""


@pytest.fixture(autouse=True)
def no_jobs_left(lab: Any) -> Iterator[None]:
    yield
    jobs.end_all()


def test_streamed_answers_have_their_colours_and_stay_together(open_notebook: Callable[..., Any]) -> None:
    notebook = open_notebook(START, ONE, TWO, TREE, FACES)
    notebook.run(0)
    said = "The answer of a model that streams, word by word."
    assert notebook.run(1).strip() == f"AI: {said} End"
    one = notebook.cell(1)
    for colour, text in (("blue", "AI: "), ("green", "word"), ("red", " End")):
        expect(one.locator(f".ansi-{colour}-fg", has_text=text).first).to_be_visible()
    lines = notebook.run(2).split("\n")
    assert sorted(line for line in lines if line.strip()) == sorted([f"alpha: {said}", f"beta: {said}"] * 2)
    expect(notebook.cell(2).locator(".ansi-magenta-fg").first).to_be_visible()
    tree = notebook.run(3)
    assert [line[:2] for line in tree.strip().splitlines()] == ["<M", "├─", "└─"]
    notebook.shot("streams")
    notebook.run(4)
    expect(notebook.cell(4).get_by_text("OpenAI-compatible")).to_have_count(1)  # faces of one deployment have one card
