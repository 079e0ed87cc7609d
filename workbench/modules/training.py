"""From what a user has set to a fine-tuning job, everything checked before anything starts. Knows data sets, runs and the
trainer's payload; does not run or show it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.jobs import JobSpec
from ..core.specs import FinetuneSpec
from ..errors import ArgumentError
from ..settings import settings
from . import runs
from .methods import AUTO, Method

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


def finetune_spec(wish: Wish, base_model: Path) -> JobSpec:
    """The job for a wish, its data read and checked.

    Raises
    ------
    DataError
        With file and line, for rows that cannot be trained on.
    ArgumentError
        When the trainer refuses an argument.
    """
    from .. import data, registry
    from ..finetune import choose
    from ..runtime.models import inspect

    train, valid = _values(wish)
    target = runs.target_folder(wish.target_path, wish.base_model)
    folder = settings().folder("data") / f"{target.name}-{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns() % 1_000_000:06}"
    arguments = dict(wish.method.arguments)
    python = str(arguments.pop("python", ""))
    backend = wish.method.name
    if backend == AUTO:
        backend = choose(wish.type or inspect(base_model).type).name
    spec = FinetuneSpec(
        base_model=str(base_model),
        target_path=str(target),
        train=data.load_dataset(train, role="train", folder=folder),
        valid=data.load_dataset(valid, role="valid", folder=folder) if valid is not None else None,
        arguments=arguments,
        python=python,
    )
    registry.get("finetune", backend)().check(spec.to_json())
    return JobSpec("finetune", backend, target.name, spec.to_json())


def _values(wish: Wish) -> tuple[Any, Any]:
    if not callable(wish.train):
        return wish.train, wish.valid
    made = wish.train()
    return made if isinstance(made, tuple) and len(made) == 2 else (made, wish.valid)
