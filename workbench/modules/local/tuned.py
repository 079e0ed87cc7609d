"""`Tuned`: the part of a `TrainableModule` that says which model it is: the base model, or one of those that were made of it.
Knows folders and models' files; trains and serves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Self

from ...core.jobs import Progress
from ...core.models import ModelMeta
from ...errors import ModelNotFound, WorkbenchError
from ...providers import model_names
from . import runs
from .builder import Builder


class Tuned(Builder):
    """A `Builder` that knows its model."""

    _taken: tuple[str, tuple[str, ...]] = ("", ())  # a deployment, and what its model can be given

    @property
    def name(self) -> str:
        """What people see: the target's name, or the base model's."""
        return self._name or Path(self.target_path or self.base_model).name or "model"

    @name.setter
    def name(self, value: str) -> None:
        self._name = value

    @property
    def finetuned_model_path(self) -> str:
        """The fine-tuned model that `start` serves; empty while there is none.

        The one chosen with `set_specific_finetuned_model` or just trained, else the newest whole one of the target.
        """
        if self._tuning.model or not self.target_path:
            return self._tuning.model
        whole = [run for run in runs.runs(self._target) if runs.usable(run)]
        return str(whole[-1]) if whole else ""

    @property
    def meta(self) -> ModelMeta | None:
        """What the model is, and in ``meta.served`` how it is served: the engine, its context, adapters, memory.

        From its files, from the deployment once there is one, and from the server, which is asked. Of a model that is neither on this machine
        nor served only what its name tells; None where there is no name.
        """
        from ...runtime.deployments import served_facts

        record, endpoint = self._serving.record, self._serving.endpoint
        if record is not None and "arguments" in record.spec.payload:
            place = str(record.spec.payload.get("model", ""))
            found = self._file_meta(Path(place)) if place else None
            found = found or ModelMeta("", self.name, type=self._kind or "llm")
            return replace(found, type=self._kind or found.type, served=served_facts.of_deployment(record, endpoint))
        if endpoint is not None:
            found = served_facts.of_address(endpoint, self._name or Path(self.base_model).name)
            files = self._file_meta()
            return replace(files, served=found.served) if files is not None else replace(found, type=self._kind or found.type)
        return self._file_meta() or (self._named_meta() if self.base_model else None)

    def _named_meta(self) -> ModelMeta:
        """What the name tells of a model that is not here yet."""
        name = Path(self.base_model).name
        told = "" if self._type else model_names.type_of(name)
        return ModelMeta("", name, type=self._type or told or "llm", told_by=f"its name, {name}" if told else "")

    def _file_meta(self, place: Path | None = None) -> ModelMeta | None:
        """What the files tell, of the model that `start` serves when no place is given."""
        from ...runtime.inspecting.models import inspect

        try:
            return inspect(place or self._model_path(download=False))
        except ModelNotFound:
            return None

    @property
    def type(self) -> str:
        """What kind of model it is, in capitals, such as ``LLM``: as it was given, else as its files tell, else its name."""
        return (self._kind or self._told_type() or "llm").upper()

    @property
    def _kind(self) -> str:
        return self._type or self._serving.kind

    @property
    def _takes(self) -> tuple[str, ...]:
        record = self._serving.record
        if record is None:
            return ()
        if self._taken[0] != record.id:
            from ...runtime.inspecting.models import inspect

            try:
                meta = inspect(str(record.spec.payload.get("model", "")))
                takes = meta.takes if self._type in (None, "", meta.type) else ()  # who names another type knows better
            except WorkbenchError:
                takes = ()
            self._taken = (record.id, takes)
        return self._taken[1]

    def _told_type(self) -> str:
        meta = self._file_meta()
        return meta.type if meta is not None else model_names.type_of(Path(self.base_model).name)

    @property
    def series(self) -> str:
        """The family that its name begins with, in capitals and without a version: ``QWEN`` for ``qwen2-1.5b``."""
        first = re.split(r"[-_.\s]", Path(self.base_model).name, maxsplit=1)[0]
        return re.sub(r"\d+$", "", first).upper()

    def get_all_models(self) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """The target's fine-tuned models.

        Returns
        -------
        (list of (name, path), list of (name, path))
            The whole ones, and those that were never finished; oldest first.
        """
        found = runs.runs(self._target)
        return ([(r.name, str(r)) for r in found if runs.usable(r)], [(r.name, str(r)) for r in found if not runs.usable(r)])

    def set_specific_finetuned_model(self, model_path: str | Path) -> Self:
        """Choose the fine-tuned model that `start` serves, by its path or its name in `get_all_models`."""
        valid, _ = self.get_all_models()
        path = Path(dict(valid).get(str(model_path), str(model_path))).expanduser().absolute()
        if not runs.usable(path):
            cause = f"{path} holds no configuration with weights."
            raise ModelNotFound(f"{str(model_path)!r} is no fine-tuned model.", cause, "See get_all_models().")
        self._tuning.model = str(path)
        return self

    @property
    def _target(self) -> Path:
        return runs.target_folder(self.target_path, self.base_model)

    def _model_path(self, download: bool = True, on_progress: Callable[[Progress], None] | None = None) -> Path:
        """The model that `start` serves."""
        return Path(self.finetuned_model_path) if self.finetuned_model_path else self._base_path(download, on_progress)

    def _base_path(self, download: bool = True, on_progress: Callable[[Progress], None] | None = None) -> Path:
        from ...runtime.inspecting.models import resolve

        if not self.base_model:
            raise ModelNotFound("No model was named.", "", "Write TrainableModule('pocket'), or any path or name.")
        return resolve(self.base_model, source=self._source, download=download and self._download, on_progress=on_progress)
