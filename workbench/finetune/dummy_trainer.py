"""A dry run of fine-tuning: everything happens but the training. Needs no torch and no environment.

It is for trying a notebook, a flow or a monitor in seconds. It trains nothing and makes no model: its result says
``dry_run`` and the numbers that it reports mean nothing.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core.jobs import Failure
from ..core.protocols import JobPlace, Stage
from ..core.specs import FinetuneSpec
from ..errors import ArgumentError, nearest, unknown_argument

_RUNNER = Path(__file__).resolve().parent.parent / "runners" / "train_dummy.py"
_DEFAULTS: dict[str, Any] = {
    "steps": 20,
    "seconds_per_step": 0.02,
    "fail_at": None,
    "save_steps": 10,
    "eval_steps": 5,
    "learning_rate": 1e-4,
    "num_train_epochs": 1.0,
    "seed": 0,
}


class DummyFinetune:
    """The backend ``finetune.dummy``: reports as many steps as it is told, obeys stop, save, pause and resume, trains nothing.

    Its arguments: ``steps``, ``seconds_per_step``, ``fail_at`` (a step at which it fails), ``save_steps``, ``eval_steps``,
    ``learning_rate``, ``num_train_epochs``, ``seed``.
    """

    name = "dummy"
    environment = "current"
    takes_any = True  # `check_arguments` knows which
    needs_data = needs_model = False

    @staticmethod
    def arguments() -> list[str]:
        """Every argument name that it takes."""
        return sorted(_DEFAULTS)

    @staticmethod
    def check_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments. A dry run stands in for any trainer, so another one's arguments are taken, and change nothing.

        Raises
        ------
        ArgumentError
            For one that is nearly one of its own, or one of its own that is no number.
        """
        for name, value in arguments.items():
            if name not in _DEFAULTS:
                if nearest(name, _DEFAULTS):
                    raise unknown_argument("finetune.dummy", name, _DEFAULTS)
                continue
            allowed = value is None and name == "fail_at"
            if not allowed and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
                raise ArgumentError(
                    f"{name}={value!r} cannot be: finetune.dummy takes a number that is not negative.", "", f"{name}={_DEFAULTS[name]!r}"
                )
            if name in ("steps", "save_steps", "eval_steps") and value < 1:
                raise ArgumentError(f"{name}={value!r} cannot be: it is at least 1.", "", f"{name}={_DEFAULTS[name]!r}")
        return dict(arguments)

    def check(self, payload: Mapping[str, Any]) -> None:
        """Refuse unknown arguments."""
        self.check_arguments(FinetuneSpec.from_json(payload).arguments)

    def plan(self, payload: Mapping[str, Any], place: JobPlace) -> Sequence[Stage]:
        """One stage, in the running interpreter."""
        spec = FinetuneSpec.from_json(payload)
        arguments = {**_DEFAULTS, **spec.arguments, "output": str(place.folder / "output"), "resume_from": spec.resume_from}
        argv = (str(_RUNNER), str(place.folder / "train.json"))
        return (Stage("train", "Dry run", self.environment, argv, files={"train.json": json.dumps(arguments)}, stop_grace=10.0),)

    def result(self, payload: Mapping[str, Any], place: JobPlace) -> Mapping[str, Any]:
        """``dry_run`` and nothing that could be taken for a model."""
        return {"dry_run": True, "base_model": FinetuneSpec.from_json(payload).base_model}

    def explain(self, stage: str, exit_code: int | None, log_tail: str) -> Failure:
        """What ended it."""
        if exit_code is not None and exit_code < 0:
            name = signal.Signals(-exit_code).name
            return Failure(f"The dry run was ended by {name}.", "job.resume() continues at the last checkpoint.", log_tail)
        errors = [line for line in log_tail.splitlines() if "Error" in line]
        return Failure(errors[-1] if errors else f"The dry run ended with exit code {exit_code}.", "Leave out fail_at=… or resume.", log_tail)
