"""From what a user has set to a fine-tuning job, everything checked before anything starts. Knows data sets, runs and the
trainer's payload; does not run or show it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ... import registry
from ...core.jobs import JobSpec
from ...core.specs import DataRef, FinetuneSpec
from ...errors import ArgumentError
from ...settings import settings
from . import runs
from .methods import AUTO, NONE, Method

OWN_ARGUMENTS = frozenset({"python"})


@dataclass(frozen=True, slots=True)
class Wish:
    """What a user has set: rows to train on and to validate with, the method, and the model's type where it was named."""

    base_model: str
    target_path: str
    method: Method
    train: Any
    valid: Any = None
    type: str = ""


@dataclass(slots=True)
class Tuning:
    """What fine-tuning has come to, shared by all faces of a module.

    Attributes
    ----------
    model : str
        The fine-tuned model to serve, or empty.
    job_id : str
        The last fine-tuning, or empty.
    awaited : bool
        Whether its end has been seen.
    """

    model: str = ""
    job_id: str = ""
    awaited: bool = True

    def __deepcopy__(self, memo: dict[int, Any]) -> Tuning:
        """A copied module has trained nothing; the model that was chosen for it stays."""
        return Tuning(self.model)


def check_path(value: Any) -> Any:
    """Say at once when a data set is a path to nothing; everything else about it is checked by `finetune_spec`."""
    if isinstance(value, str | Path) and not Path(value).expanduser().exists():
        path = Path(value).expanduser().absolute()
        raise ArgumentError(f"The training set {str(value)!r} is not there.", f"There is no file {path}.", "Check the path.")
    return value


def reads_data(method: Method) -> bool:
    """Whether the trainer reads rows; one for dry runs does not."""
    return method.name in (AUTO, NONE) or bool(getattr(registry.get("finetune", method.name), "needs_data", True))


def finetune_spec(wish: Wish, base_model: Path) -> JobSpec:
    """The job for a wish, its data read and checked.

    Raises
    ------
    DataError
        With file and line, for rows that cannot be trained on.
    ArgumentError
        When the trainer refuses an argument.
    """
    from ...finetune import choose
    from ...runtime.inspecting.models import inspect

    train, valid = _values(wish)
    backend = wish.method.name
    if backend == AUTO:
        backend = choose(wish.type or inspect(base_model).type).name
    target = runs.target_folder(wish.target_path, wish.base_model)
    folder = settings().folder("data") / f"{target.name}-{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns() % 1_000_000:06}"
    arguments = wish.method.settled()
    python = str(arguments.pop("python", ""))
    needed = reads_data(Method("finetune", backend))
    spec = FinetuneSpec(
        base_model=str(base_model),
        target_path=str(target),
        train=_rows(train, "train", folder) if needed or _there(train) else DataRef("", "", 0),
        valid=_rows(valid, "valid", folder) if valid is not None else None,
        arguments=arguments,
        python=python,
    )
    registry.get("finetune", backend)().check(spec.to_json())
    return JobSpec("finetune", backend, target.name, spec.to_json())


def _rows(value: Any, role: str, folder: Path) -> DataRef:
    from ... import data

    return data.load_dataset(value, role=role, folder=folder)


def _there(value: Any) -> bool:
    """Whether there are rows to look at; a dry run does without."""
    return bool(str(value)) and Path(value).expanduser().exists() if isinstance(value, str | Path) else value is not None


def _values(wish: Wish) -> tuple[Any, Any]:
    if not callable(wish.train):
        return wish.train, wish.valid
    made = wish.train()
    return made if isinstance(made, tuple) and len(made) == 2 else (made, wish.valid)
