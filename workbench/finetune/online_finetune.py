"""The backend ``finetune.online``: a vendor trains. One stage, in the interpreter that runs, talks to the vendor from upload to deployment.

Knows the registry's forms and no vendor's wire; `workbench.runtime.supervision.vendor_training` sends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import registry
from ..core.jobs import Failure
from ..core.protocols import JobPlace, Stage
from ..core.remote_training import RemoteSpec
from ..errors import DataError

STATE = "remote/remote.json"  # what has been reached at the vendor, relative to the job's folder


class OnlineFinetune:
    """Fine-tuning at a vendor, as a job like any other. Its arguments are those of the vendor's form."""

    name = "online"
    environment = "current"

    def check(self, payload: Mapping[str, Any]) -> None:
        """Refuse unknown arguments, and data that the vendor could not find."""
        spec = RemoteSpec.from_json(payload)
        form = registry.get("training_form", spec.form)(spec.options)
        form.check(spec.arguments)
        scheme = getattr(form, "bucket_scheme", "")
        for path in filter(None, (spec.train, spec.valid)):
            if scheme and not path.startswith(f"{scheme}://"):
                cause = f"{form.name} reads training data from a bucket only."
                raise DataError(
                    f"{path} cannot be trained on there.", cause, f"Put it into your bucket and give its place, {scheme}://bucket/path.jsonl."
                )

    def plan(self, payload: Mapping[str, Any], place: JobPlace) -> Sequence[Stage]:
        """One stage that talks to the vendor."""
        argv = ("-m", "workbench.runtime.supervision.vendor_training", str(place.folder))
        files = {"remote.json": json.dumps(payload)}
        return (Stage("train", "Fine-tuning at the vendor", self.environment, argv, files=files, stop_grace=60.0, asks_vendors=True),)

    def result(self, payload: Mapping[str, Any], place: JobPlace) -> Mapping[str, Any]:
        """The vendor's name of the model, of the job, and of the deployment where there is one."""
        state = json.loads((place.folder / STATE).read_text())
        return {k: v for k, v in state.items() if k in ("model", "remote_job", "deployment", "trained_tokens") and v}

    def explain(self, stage: str, exit_code: int | None, log_tail: str) -> Failure:
        """What ended it, in the vendor's words."""
        lines = [line for line in log_tail.splitlines() if line.strip()]
        cause = next((line for line in reversed(lines) if not line.startswith(("Cause:", "Fix:"))), "")
        fix = next((line.removeprefix("Fix: ") for line in reversed(lines) if line.startswith("Fix: ")), "")
        return Failure(cause or f"The process that follows it ended ({exit_code}).", fix or "job.resume() goes on where it stopped.", log_tail)


def state_file(folder: Path) -> Path:
    """Where a job writes what it has reached."""
    return folder / STATE
