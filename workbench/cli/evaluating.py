"""``workbench eval``: a notebook as an evaluation, or models over a file of rows. The exit code is for CI."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from .console import coloured, failed, key_values, note, say


def evaluate(
    what: Annotated[list[str], typer.Argument(metavar="NOTEBOOK | MODEL…", help="A notebook to run, or models to evaluate over --data.")],
    report: Annotated[Path | None, typer.Option("--report", "-r", help="Where the HTML report goes.", show_default=False)] = None,
    parameters: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="Set a parameter of the notebook (cell tagged 'parameters').")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where the executed copy of the notebook goes.", show_default=False)] = None,
    kernel: Annotated[str, typer.Option(help="The kernel to run the notebook in; its own by default.", show_default=False)] = "",
    timeout: Annotated[int | None, typer.Option(min=1, help="Seconds a cell may take; no limit by default.", show_default=False)] = None,
    data: Annotated[str, typer.Option("--data", "-d", help="Rows to evaluate models on: JSON, JSONL, CSV or Parquet.", show_default=False)] = "",
    scorers: Annotated[list[str] | None, typer.Option("--scorer", "-s", help="exact, contains, regex, json_field, f1; several are fine.")] = None,
) -> None:
    """Run a notebook without a front end, or evaluate models over a file of rows.

    A notebook runs in a fresh kernel, in its own folder, with its progress on the terminal. The executed copy and an HTML
    report are kept; the last evaluation table and the report's path are printed. Exit code 1 when a cell fails.

    With models and --data, the models are started where they are not, compared when there are several, and left running.
    """
    from ..errors import ArgumentError

    notebooks = [w for w in what if w.endswith(".ipynb")]
    if notebooks and (len(what) > 1 or data or scorers):
        raise ArgumentError("A notebook is evaluated alone.", "It brings its own models, rows and scorers.", f"workbench eval {notebooks[0]}")
    if notebooks:
        _notebook(Path(notebooks[0]), report, key_values(parameters or []), output, kernel, timeout)
        return
    if parameters or output or kernel or timeout:
        raise ArgumentError("--parameter, --output, --kernel and --timeout are for notebooks.", f"{what[0]!r} is a model.", "Leave them out.")
    if not data:
        raise ArgumentError("There are no rows to evaluate on.", "Models need --data.", f"workbench eval {' '.join(what)} --data rows.jsonl")
    _models(what, data, scorers, report)


def _models(models: list[str], data: str, scorers: list[str] | None, report: Path | None) -> None:
    from .. import evals, modules
    from ..evals.rows import load

    cases = load(data)  # a broken file is said before a model is started
    made: list[Any] = [modules.TrainableModule(m) for m in models]
    for module in made:
        module.start()
    result = evals.compare(*made, evalset=cases, scorers=scorers) if len(made) > 1 else evals.evaluate(made[0], cases, scorers=scorers)
    _say_result(str(result), result.save_html(report or _kept(result.id) / "report.html"))


def _notebook(path: Path, report: Path | None, parameters: dict[str, Any], output: Path | None, kernel: str, timeout: int | None) -> None:
    from . import notebook as headless
    from .progress import Terminal

    book = headless.read(path, parameters)
    kept = _kept(f"{path.stem}-{datetime.now():%Y%m%d-%H%M%S}")
    copy = output or kept / path.name
    outcome = headless.run(book, path.absolute().parent, Terminal(), kernel=kernel, timeout=timeout, save_to=copy)
    found = list(outcome.reports.values())
    best = next((r for r in reversed(found) if r["path"]), found[-1] if found else None)
    if best is not None:
        say()
        _say_result(best["summary"], _report(best, report, kept / "report.html"))
    say(f"Executed copy: {copy}")
    _still_running()
    if outcome.interrupted:
        note("Interrupted. Jobs that the notebook started go on.")
        raise typer.Exit(130)
    if outcome.error:
        _cell_failed(outcome.error, outcome.cell, path, copy)
        raise typer.Exit(1)


def _report(announced: dict[str, Any], wanted: Path | None, fallback: Path) -> Path:
    """The report that the notebook wrote, or one made of the result that it showed; at the place the user named."""
    from ..evals import EvalResult

    written = Path(announced["path"]) if announced["path"] else None
    if written is None or not written.is_file():
        return EvalResult.load(announced["id"]).save_html(wanted or fallback)
    if wanted is None:
        return written
    wanted.parent.mkdir(parents=True, exist_ok=True)
    if wanted.absolute() != written.absolute():
        shutil.copyfile(written, wanted)
    return wanted.absolute()


def _say_result(table: str, report: Path) -> None:
    say(table)
    say()
    say(f"Report: {report}")


def _cell_failed(error: str, number: int, path: Path, copy: Path) -> None:
    """A failed cell in three parts: an error of the workbench brings its own cause and fix."""
    from ..errors import JobFailed

    said, _, log = error.partition("\nLast log lines:\n")
    first, *rest = said.split("\n")
    parts = {name: next((line.removeprefix(f"{name}: ") for line in rest if line.startswith(f"{name}: ")), "") for name in ("Cause", "Fix")}
    cause = f"{first} {parts['Cause']}".strip()
    fix = parts["Fix"] or f"The whole traceback is in {copy}."
    failed(JobFailed(f"Cell {number} of {path.name} failed.", cause, fix, log_tail=log))


def _still_running() -> None:
    from ..runtime.work import jobs

    names = [r.name for r in jobs.store().jobs(active=True)]
    if names:
        dim, plain = ("\x1b[2m", "\x1b[0m") if coloured() else ("", "")
        note(f"{dim}Still running: {', '.join(names)}. workbench stop --all ends {'it' if len(names) == 1 else 'them'}.{plain}")


def _kept(name: str) -> Path:
    from ..settings import settings

    return settings().folder("runs", name)
