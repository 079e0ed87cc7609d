"""One JupyterLab and one browser for all browser tests; a page, a notebook and a look at them for each.

``WORKBENCH_SHOTS=<folder>`` keeps the pictures that tests take. Run these in a pytest call of their own (``tests/run.py`` does).
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from jupyter_process import Jupyter, jupyter
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

SUPPORT = Path(__file__).parent.parent / "support"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark", "contrast": "JupyterLab Dark High Contrast"}
expect.set_options(timeout=20_000)  # a guard, for busy machines
_OPTIONS = (
    "--LabApp.expose_app_in_browser=True",
    "--LabApp.extension_manager=readonly",
    "--LanguageServerManager.autodetect=False",
)
_KERNEL_WENT = re.compile(r"Canceled future for \w+ message before replies were done")
"""What JupyterLab itself raises, to nobody, when a kernel is shut down while a question to it is under way."""
_OPEN = """path => {
  const panel = window.jupyterapp.shell.currentWidget;
  return panel?.context?.path === path && panel.sessionContext?.session?.kernel?.status === 'idle' && panel.content.widgets.length > 0;
}"""
# A changed notebook would be asked about when its tab closes, so it is saved first.
_CLEAR = """async () => {
  const app = window.jupyterapp;
  for (const widget of [...app.shell.widgets('main')]) {
    if (widget.context?.model?.dirty) await widget.context.save();
    widget.close();
  }
  await app.serviceManager.sessions.shutdownAll();
}"""


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, shared_envs: Path) -> Iterator[Jupyter]:
    """JupyterLab and this process on one home; jobs may run the stages of `scripted_backends`.

    Every job of that home is ended after the last test.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_ENV_DIR", str(shared_envs))
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(SUPPORT), os.environ.get("PYTHONPATH")])))
        with jupyter(tmp_path_factory.mktemp("lab"), "jupyterlab", _OPTIONS) as running:
            patch.setenv("WORKBENCH_HOME", str(running.home))
            yield running
            from workbench.runtime.work import jobs

            jobs.end_all()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, from ``CHROMIUM`` or the PATH."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        pytest.fail("There is no Chromium: install one, or name it in CHROMIUM.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield chromium
        chromium.close()


class Notebook:
    """A notebook on a page.

    Attributes
    ----------
    page : Page
        Playwright's page, for everything that is not here.
    path : Path
        The notebook's file.
    """

    def __init__(self, page: Page, path: Path, shots: Path | None) -> None:
        self.page, self.path, self._shots = page, path, shots

    def run(self, index: int, *, wait: bool = True, timeout: float = 60) -> str:
        """Run a cell, by default until it is done; its text output."""
        self.page.evaluate(
            """i => { const {content} = window.jupyterapp.shell.currentWidget; content.activeCellIndex = i;
                      void window.jupyterapp.commands.execute('notebook:run-cell'); }""",
            index,
        )
        if wait:
            self.wait(index, timeout=timeout)
        return self.output(index)

    def wait(self, index: int, *, timeout: float = 60) -> None:
        """Wait until a cell that was started is done."""
        self.page.wait_for_function(
            """i => { const {model} = window.jupyterapp.shell.currentWidget.content.widgets[i];
                      return model.executionState === 'idle' && model.executionCount != null; }""",
            arg=index,
            timeout=timeout * 1000,
        )

    def output(self, index: int) -> str:
        """What a cell printed and gave, as text."""
        return self.cell(index).evaluate("cell => [...cell.querySelectorAll('.jp-OutputArea-output')].map(e => e.innerText).join('\\n')")

    def cell(self, index: int):  # type: ignore[no-untyped-def]  # a playwright locator
        """A cell as a locator; widgets are looked for below it."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def sources(self) -> list[str]:
        """The code of all cells, as it is on the page."""
        return self.page.evaluate("() => [...window.jupyterapp.shell.currentWidget.content.model.cells].map(c => c.sharedModel.getSource())")

    def command(self, name: str, **arguments: object) -> None:
        """Run a command of JupyterLab."""
        self.page.evaluate("([name, args]) => { void window.jupyterapp.commands.execute(name, args); }", [name, arguments])

    def theme(self, name: str) -> None:
        """Switch to ``light``, ``dark`` or ``contrast``."""
        self.command("apputils:change-theme", theme=THEMES[name])
        self.page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=THEMES[name])

    def shot(self, name: str, locator: object = None) -> None:
        """Keep pictures of the page or of one part, light and dark, where ``WORKBENCH_SHOTS`` names a folder."""
        if self._shots is None:
            return
        for theme in ("light", "dark"):
            self.theme(theme)
            self.page.wait_for_timeout(250)  # the style sheet of the theme is drawn a little after it is named
            (locator or self.page).screenshot(path=self._shots / f"{name}-{theme}.png")  # type: ignore[attr-defined]
        self.theme("light")


@pytest.fixture(scope="session")
def page(lab: Jupyter, browser: Browser) -> Iterator[Page]:
    """JupyterLab loaded once; loading it takes longer than most tests."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=lab.url)
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.goto(f"{lab.url}/lab?token={lab.token}&reset")
    page.wait_for_function("window.jupyterapp?.restored.then(() => true)", timeout=90_000)
    yield page
    context.close()


@pytest.fixture
def open_notebook(lab: Jupyter, page: Page, request: pytest.FixtureRequest) -> Iterator[Callable[..., Notebook]]:
    """``open_notebook("cell one", "cell two")``: a notebook alone in JupyterLab, its kernel idle.

    Afterwards every tab is closed and every kernel shut down. An error that the page raises fails the test.
    """
    problems: list[str] = []

    def remember(error: Error) -> None:
        if not _KERNEL_WENT.search(str(error)):
            problems.append(str(error))

    page.on("pageerror", remember)
    folder = os.environ.get("WORKBENCH_SHOTS")
    shots = Path(folder).absolute() if folder else None
    if shots:
        shots.mkdir(parents=True, exist_ok=True)

    def go(*cells: str) -> Notebook:
        name = re.sub(r"\W+", "-", request.node.name).strip("-") + ".ipynb"
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells], metadata=kernel), lab.root / name)
        page.evaluate("path => { void window.jupyterapp.commands.execute('docmanager:open', { path, factory: 'Notebook' }); }", name)
        page.wait_for_function(_OPEN, arg=name, timeout=60_000)
        return Notebook(page, lab.root / name, shots)

    yield go
    page.evaluate(_CLEAR)
    page.remove_listener("pageerror", remember)
    assert not problems, f"The page raised errors: {problems}"
