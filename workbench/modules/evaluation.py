"""What a module is asked in an evaluation, and what is made of the answers. Knows where rows come from, not how they are judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ArgumentError


def identity(value: Any) -> Any:
    """The value itself."""
    return value


@dataclass(frozen=True, slots=True)
class EvalSet:
    """Rows (or a file of them) and what to make of the list of outputs."""

    rows: Any
    collect: Callable[[Any], Any] = identity

    @staticmethod
    def of(rows: Any, load: Callable[[Any], Any] | None, collect: Callable[[Any], Any]) -> EvalSet:
        """From what a user gives. A path must be there; ``load`` reads the opened file.

        Raises
        ------
        ArgumentError
        """
        for what, function in (("load_f", load), ("collect_f", collect)):
            if function is not None and not callable(function):
                raise ArgumentError(f"{what} cannot be a {type(function).__name__}.", "", "Give a function.")
        if isinstance(rows, str | Path):
            path = Path(rows).expanduser()
            if not path.is_file():
                raise ArgumentError(f"The evaluation set {str(rows)!r} is not there.", f"There is no file {path.absolute()}.", "Check the path.")
            if load is not None:
                with path.open(encoding="utf-8") as file:
                    rows = load(file)
        return EvalSet(rows, collect)

    def ask(self, subject: Any, begun: Callable[[Any], None], last: Any = None, **options: Any) -> Any:
        """Ask ``subject`` every row; the `EvalResult`, or what ``collect_f`` makes of the outputs.

        Parameters
        ----------
        begun : callable
            Given the result as soon as there is one, before its rows.
        last : EvalResult, optional
            The last evaluation; one that was interrupted is completed.
        **options
            Those of `workbench.evals.evaluate`.
        """
        from .. import evals

        options["resume"] = evals.unfinished(last, options.get("resume"))
        result = evals.evaluate(subject, self.rows, on_start=begun, **options)
        return self.collect(result.outputs) if self.collect is not identity and result.state == "finished" else result
