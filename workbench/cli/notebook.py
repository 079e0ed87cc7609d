"""Running a notebook without a front end: a real kernel, cell by cell, told to an observer. Knows no terminal.

The kernel sees ``WORKBENCH_HEADLESS`` and says in lines what it would else show in widgets; what it announces as
``application/vnd.workbench.report+json`` is collected.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import json
import os
import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import nbformat
from jupyter_client.kernelspec import NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbclient.util import ensure_async

from ..errors import ArgumentError, DataError, EnvironmentFailed, nearest
from ..evals.announce import MIME
from ..runtime.work.front_end import HEADLESS
from ..store.logs import readable, tail
from .progress import as_drawn

_nbformat: Any = nbformat  # it ships without types
PARAMETERS, INJECTED = "parameters", "injected-parameters"


class Observer(Protocol):
    """Who is told how a run goes."""

    def cell(self, number: int, total: int, heading: str, code: str) -> None:
        """A code cell begins."""
        ...

    def text(self, text: str) -> None:
        """The cell wrote something."""
        ...

    def done(self) -> None:
        """The cell ended."""
        ...


@dataclass
class Outcome:
    """How a run ended. ``reports`` holds what was announced, by the result's id, the last word of each."""

    cells: int = 0
    error: str = ""
    cell: int = 0
    interrupted: bool = False
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)


def read(path: Path, parameters: Mapping[str, Any]) -> Any:
    """The notebook, with the parameters set.

    Raises
    ------
    DataError
        When it is not there or not a notebook.
    ArgumentError
        When it does not take these parameters.
    """
    if not path.is_file():
        raise DataError(f"There is no notebook {path}.", "", "Check the path.")
    try:
        notebook = _nbformat.read(path, as_version=4)
    except Exception as e:  # nbformat raises half a dozen kinds
        raise DataError(f"{path} is not a notebook.", str(e).split("\n")[0]) from e
    if parameters:
        _inject(notebook, parameters)
    return notebook


def _inject(notebook: Any, parameters: Mapping[str, Any]) -> None:
    """Put a cell with the parameters after the one tagged so, as papermill does."""
    place = next((i for i, c in enumerate(notebook.cells) if PARAMETERS in c.metadata.get("tags", [])), None)
    if place is None:
        raise ArgumentError(
            "The notebook takes no parameters.", f"None of its cells has the tag {PARAMETERS!r}.", "Tag the cell that sets their defaults."
        )
    known = _assigned(notebook.cells[place].source)
    for name in parameters:
        if name not in known:
            near = nearest(name, known)
            raise ArgumentError(
                f"The notebook has no parameter {name!r}.",
                f"{near!r} is the nearest name." if near else "",
                f"It has: {', '.join(sorted(known)) or 'none'}.",
            )
    source = "# Parameters of this run\n" + "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    notebook.cells.insert(place + 1, _nbformat.v4.new_code_cell(source, metadata={"tags": [INJECTED]}))


def _assigned(source: str) -> set[str]:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    targets = [t for s in tree.body if isinstance(s, ast.Assign) for t in s.targets] + [s.target for s in tree.body if isinstance(s, ast.AnnAssign)]
    return {t.id for t in targets if isinstance(t, ast.Name)}


class _Client(NotebookClient):
    """Tells an observer of cells and texts, and collects announcements."""

    observer: Any = None
    outcome: Any = None

    async def async_start_new_kernel(self, **kwargs: Any) -> None:
        """Replaces nbclient's own signal handlers, under which a run ends in a failed assertion."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        with contextlib.suppress(NotImplementedError, RuntimeError):  # not in the main thread
            loop.add_signal_handler(signal.SIGINT, self._interrupt, task)
            loop.add_signal_handler(signal.SIGTERM, task.cancel)
        await super().async_start_new_kernel(**kwargs)

    def _interrupt(self, task: asyncio.Task[Any]) -> None:
        """The first time as JupyterLab's stop button: the cell may still say what goes on. Then, or without a cell, for good."""
        first, self.outcome.interrupted = not self.outcome.interrupted, True
        if first and self.outcome.cell and self.km is not None:
            self._interrupting = asyncio.ensure_future(ensure_async(self.km.interrupt_kernel()))
        else:
            task.cancel()

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        content = msg["content"]
        if msg["msg_type"] == "stream":
            self.observer.text(content["text"])
        elif msg["msg_type"] in ("display_data", "execute_result", "update_display_data"):
            self._shown(content["data"], msg["msg_type"] != "update_display_data")
        return super().process_message(msg, cell, cell_index)

    def _shown(self, data: Mapping[str, Any], first: bool) -> None:
        said = data.get(MIME)
        if isinstance(said, dict) and said.get("id"):
            before = self.outcome.reports.pop(said["id"], {})
            self.outcome.reports[said["id"]] = {**said, "path": said.get("path") or before.get("path", "")}
        if first and "text/plain" in data:
            self.observer.text(data["text/plain"] + "\n")


def run(notebook: Any, folder: Path, observer: Observer, *, kernel: str = "", timeout: int | None = None, save_to: Path) -> Outcome:
    """Run every code cell in order, in a fresh kernel that works in ``folder``.

    Parameters
    ----------
    kernel : str
        Name of a kernel; the notebook's own, else the interpreter that runs this, by default.
    timeout : int, optional
        Seconds a cell may take.
    save_to : Path
        Where the executed copy goes, also when the run fails or is interrupted. What the kernel's process itself has to say
        goes into ``kernel.log`` beside it.

    Returns
    -------
    Outcome
        With the error of the cell that failed, where one did.

    Raises
    ------
    EnvironmentFailed
        When the kernel cannot be started.
    """
    outcome, headings = Outcome(), _headings(notebook)
    order = {i: n for n, i in enumerate((i for i, c in enumerate(notebook.cells) if c.cell_type == "code" and c.source.strip()), 1)}

    def begin(cell: Any, cell_index: int) -> None:
        if outcome.interrupted:
            raise asyncio.CancelledError
        outcome.cell = order.get(cell_index, 0)
        if outcome.cell:
            observer.cell(outcome.cell, len(order), headings[cell_index], cell.source)

    def end(cell: Any, cell_index: int, execute_reply: Any) -> None:
        outcome.cells += 1
        observer.done()

    options: dict[str, Any] = {"kernel_name": kernel} if kernel else {}
    options |= {"timeout": timeout, "resources": {"metadata": {"path": str(folder)}}, "store_widget_state": False}
    client = _Client(notebook, on_cell_start=begin, on_cell_executed=end, **options)
    client.observer, client.outcome = observer, outcome
    save_to.parent.mkdir(parents=True, exist_ok=True)
    words = save_to.with_name("kernel.log")
    try:
        with words.open("wb") as log:
            asyncio.run(client.async_execute(env={**os.environ, HEADLESS: "1"}, stdout=log, stderr=log))
    except CellExecutionError as e:
        outcome.error = "" if outcome.interrupted else _plain(f"{e.ename}: {e.evalue}")
    except CellTimeoutError:
        outcome.error = f"The cell took more than {timeout} s."
    except DeadKernelError:
        outcome.error = f"The kernel died.\nLast log lines:\n{tail(words, 12)}"
    except (KeyboardInterrupt, asyncio.CancelledError):
        outcome.interrupted = True
    except NoSuchKernel as e:
        fix = "Name one of `jupyter kernelspec list` with --kernel, or install ipykernel."
        raise EnvironmentFailed(f"There is no kernel {e.name!r}.", "The notebook asks for it.", fix) from e
    finally:
        _tidy(notebook)
        _nbformat.write(notebook, save_to)
    return outcome


def _headings(notebook: Any) -> list[str]:
    """For every cell the Markdown heading it stands under."""
    found, heading = [], ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (match := re.search(r"^#+\s+(.+)$", cell.source, re.MULTILINE)):
            heading = match[1].strip()
        found.append(heading)
    return found


def _plain(text: str) -> str:
    return readable(text).strip()


def _tidy(notebook: Any) -> None:
    """Lines that rewrote themselves keep their last state, so that the copy reads like a log and not like a terminal."""
    for cell in notebook.cells:
        kept = []
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                output.text = "\n".join(as_drawn(line) for line in output.text.split("\n"))
                if not output.text.strip():
                    continue
            elif MIME in output.get("data", {}):
                output.data[MIME] = json.loads(json.dumps(output.data[MIME]))
            kept.append(output)
        if "outputs" in cell:
            cell.outputs = kept
