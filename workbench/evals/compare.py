"""``evaluate`` one model, ``compare`` several: rows, scorers and labels made ready, then `run`, shown while it goes."""

from __future__ import annotations

import inspect
import platform
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from ..errors import ArgumentError, unknown_argument
from ..modules.sessions import no_session
from ..runtime import loop
from ..runtime.work.front_end import StatusLine
from . import journal, rows, show
from .identity import Identity, digest, of_subject
from .result import EvalResult
from .run import run
from .scoring import Scorer, resolve
from .target import Target, label, parallel
from .values import LATENCY_MEASURE, EvalCase, EvalRow

OPTIONS = ("evalset", "scorers", "names", "name", "concurrency", "margins", "resume", "on_row", "on_start", "show", "wait")


@dataclass(frozen=True)
class _Plan:
    """Everything that a run needs, checked."""

    result: EvalResult
    subjects: tuple[Any, ...]
    cases: list[EvalCase]
    scorers: list[Scorer]
    concurrency: int
    on_row: Callable[[EvalRow], None] | None

    def _ended(self) -> None:
        self.result.identity.after = [of_subject(s) for s in self.subjects]

    async def go(self) -> EvalResult:
        with no_session():  # rows are no conversation
            return await self._run()

    async def _run(self) -> EvalResult:
        threads = ThreadPoolExecutor(self.concurrency, "workbench-eval")
        try:
            distinct = {id(s): Target(s, threads) for s in self.subjects}
            targets = [distinct[id(s)] for s in self.subjects]
            return await run(
                self.result,
                targets,
                self.cases,
                self.scorers,
                concurrency=self.concurrency,
                threads=threads,
                on_row=self.on_row,
                on_end=self._ended,
            )
        finally:
            threads.shutdown(wait=False, cancel_futures=True)


def evaluate(
    module: Any,
    evalset: Any,
    *,
    scorers: Any = None,
    name: str = "",
    names: Sequence[str] | None = None,
    concurrency: int | None = None,
    margins: Mapping[str, float] | None = None,
    resume: EvalResult | str | bool | None = None,
    on_row: Callable[[EvalRow], None] | None = None,
    on_start: Callable[[EvalResult], None] | None = None,
    show: bool = True,
    wait: bool = True,
    **unknown: Any,
) -> EvalResult:
    """Ask one model every row and score the answers; the arguments are those of `compare`.

    >>> evaluate(m, [("2 + 2", "4")])
    """
    if unknown:
        raise unknown_argument("evaluate", next(iter(unknown)), OPTIONS)
    plan = _plan((module,), evalset, scorers, names, name, concurrency, margins, resume, on_row, on_start)
    return _blocking(plan, show, wait, keep=False)


def compare(
    *modules: Any,
    evalset: Any = None,
    scorers: Any = None,
    names: Sequence[str] | None = None,
    name: str = "",
    concurrency: int | None = None,
    margins: Mapping[str, float] | None = None,
    resume: EvalResult | str | bool | None = None,
    on_row: Callable[[EvalRow], None] | None = None,
    on_start: Callable[[EvalResult], None] | None = None,
    show: bool = True,
    wait: bool = True,
    **unknown: Any,
) -> EvalResult:
    """Ask several models every row, score the answers, and say what the difference is worth.

    Parameters
    ----------
    *modules : module or callable
        The baseline first. A function of the input, async or not, does as well. One that stands twice is asked once.
    evalset : list, DataFrame or path
        Rows with an input and, for most scorers, an expected answer; see `workbench.evals.rows.load` for the forms.
    scorers : name, function, scorer, or list or dict of them, optional
        ``exact`` when not given; also ``contains``, ``regex``, ``json_field``, ``f1``, ``rouge_l``, ``bleu``; the objects of
        `workbench.evals`, such as ``Judge(model)`` and ``Similarity(model)``; any function of output and expected answer that gives
        0 to 1.
    names : sequence of str, optional
        What to call the models.
    name : str, optional
        What to call the evaluation.
    concurrency : int, optional
        Rows at a time; what the endpoints are made for by default. Halved where a model says it is too much.
    margins : mapping, optional
        Differences that do not matter, by scorer: a share (0.01 is one point); for ``latency`` a share of the baseline's.
    resume : EvalResult or str or True, optional
        An evaluation (or its id; True means the newest that asked the same) that was interrupted, or in which rows failed: only
        what has no answer is asked. When models,
        rows or scorers are others than then, everything is asked anew, and that is said.
    on_row, on_start : callable, optional
        Called with every finished row; with the result before the first.
    show : bool
        Show the table while it fills, or a progress line where there is no front end for it.
    wait : bool
        Return when it is done; otherwise at once, with a result that fills.

    Returns
    -------
    EvalResult
        Rows with the outputs of all models, summaries, tables, report. Interrupting raises KeyboardInterrupt and keeps what is
        there: ``EvalResult.load()``.

    Raises
    ------
    DataError
        When the evaluation set cannot be used.
    NotStarted
        When a model was not started.

    Examples
    --------
    >>> wb.compare(base, tuned, evalset=[{"input": "2 + 2", "expected": "4"}])
    """
    if unknown:
        raise unknown_argument("compare", next(iter(unknown)), OPTIONS)
    plan = _plan(_several(modules), evalset, scorers, names, name, concurrency, margins, resume, on_row, on_start)
    return _blocking(plan, show, wait, keep=True)


async def aevaluate(module: Any, evalset: Any, **options: Any) -> EvalResult:
    """`evaluate` for async code: `acompare` with one model."""
    return await _asynchronous("aevaluate", (module,), evalset, options)


async def acompare(*modules: Any, evalset: Any = None, **options: Any) -> EvalResult:
    """`compare` for async code: runs in the caller's event loop and shows nothing. Takes all of its options but show and wait."""
    return await _asynchronous("acompare", _several(modules), evalset, options)


async def _asynchronous(where: str, modules: tuple[Any, ...], evalset: Any, options: dict[str, Any]) -> EvalResult:
    known = set(inspect.signature(_plan).parameters) - {"subjects", "evalset"}
    for unknown in options.keys() - known:
        raise unknown_argument(where, unknown, known)
    return await _plan(modules, evalset, **options).go()


def _several(modules: tuple[Any, ...], least: int = 2) -> tuple[Any, ...]:
    if len(modules) < least:
        raise ArgumentError("compare needs two models or more.", f"It was given {len(modules)}.", "wb.compare(base, tuned, evalset=rows)")
    return modules


def _plan(
    subjects: tuple[Any, ...],
    evalset: Any,
    scorers: Any = None,
    names: Sequence[str] | None = None,
    name: str = "",
    concurrency: int | None = None,
    margins: Mapping[str, float] | None = None,
    resume: EvalResult | str | bool | None = None,
    on_row: Callable[[EvalRow], None] | None = None,
    on_start: Callable[[EvalResult], None] | None = None,
) -> _Plan:
    if evalset is None:
        raise ArgumentError("compare needs an evaluation set.", "", "wb.compare(base, tuned, evalset=rows)")
    if concurrency is not None and concurrency < 1:
        raise ArgumentError(
            f"concurrency={concurrency} is too small.", "It is how many rows are asked at a time.", "Leave it out or write 1 or more."
        )
    labels = _labels(subjects, names)
    cases = rows.load(evalset)
    made = resolve(scorers, cases)
    measures = [*(s.measure for s in made), LATENCY_MEASURE]
    for key, margin in (margins or {}).items():
        at = next((i for i, m in enumerate(measures) if m.name == key), None)
        if at is None:
            raise unknown_argument("margins", key, [m.name for m in measures])
        measures[at] = replace(measures[at], margin=float(margin))
    at_once = concurrency or min(parallel(s) for s in subjects)
    identity = Identity(digest([(c.input, c.expected, c.accept) for c in cases]), digest(made), [of_subject(s) for s in subjects])
    result = _resumed(resume, identity) or EvalResult(
        name or " vs ".join(labels), labels, measures, len(cases), facts=_facts(subjects, labels, at_once), identity=identity
    )
    if on_start:
        on_start(result)
    return _Plan(result, subjects, cases, made, at_once, on_row)


def unfinished(last: EvalResult | None, wish: Any) -> Any:
    """What to complete: by default the last evaluation when it was interrupted; True means also when only rows failed,
    and where this process has made none, the newest of this home that asked the same."""
    if wish is None or wish is True:
        if last is None:
            return wish
        return last if wish or last.state == "cancelled" else None
    return wish or None


def _resumed(wish: EvalResult | str | bool | None, identity: Identity) -> EvalResult | None:
    """The evaluation to complete, open for more rows; None when there is none or when it asked something else."""
    if wish is True:
        wish = journal.newest(lambda head: not Identity.from_json(head.get("identity") or {}).changed(identity))
    if wish is None or wish is False or wish == "":  # a result that has no rows yet is false, too
        return None
    before = wish if isinstance(wish, EvalResult) else EvalResult.load(wish)
    if before.state == "running":
        raise ArgumentError(f"The evaluation {before.name!r} is still running.", "It was given as resume=….", "Call its wait() or stop() first.")
    changed = before.identity.changed(identity)
    if changed:
        StatusLine().end(f"All rows are asked anew: since {before.name!r} was interrupted, {', '.join(changed)} changed.")
        return None
    kept = sum(not any(o.missing for o in row.outputs) for row in before.rows)
    StatusLine().end(f"Going on with {before.name!r}: {kept:,} of {before.total:,} rows have been answered.")
    before.identity = identity
    before.reopen()
    return before


def _labels(subjects: Sequence[Any], names: Sequence[str] | None) -> list[str]:
    if names is not None:
        if isinstance(names, str) or len(names) != len(subjects):
            raise ArgumentError(f"names has {1 if isinstance(names, str) else len(names)} names for {len(subjects)} models.")
        return [str(n) for n in names]
    labels: list[str] = []
    for subject in subjects:
        plain = label(subject)
        same = sum(x == plain or x.startswith(f"{plain} (") for x in labels)
        labels.append(f"{plain} ({same + 1})" if same else plain)
    return labels


def _facts(subjects: Sequence[Any], labels: Sequence[str], concurrency: int) -> dict[str, Any]:
    """What a reader of the report wants to know about the run; no address and no key."""
    from .. import __version__

    models = {}
    for name, subject in zip(labels, subjects, strict=True):
        about = {k: getattr(subject, k, None) for k in ("base_model", "target_path", "engine")}
        about["job"] = getattr(getattr(subject, "job", None), "id", None)  # the fine-tuning; its loss goes into the report
        models[name] = {k: str(v) for k, v in about.items() if v}
    return {
        "models": models,
        "concurrency": concurrency,
        "workbench": __version__,
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
    }


def _blocking(plan: _Plan, shown: bool, wait: bool, *, keep: bool) -> EvalResult:
    end = show.live(plan.result, keep=keep) if shown else None
    future = loop.spawn(plan.go())
    if not wait:
        if end:
            future.add_done_callback(lambda _: end())
        return plan.result
    try:
        return future.result()
    except KeyboardInterrupt:
        future.cancel()
        plan.result.wait(10)
        raise
    finally:
        if end:
            end()
