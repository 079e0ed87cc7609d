"""Fine-tuning of a vendor's model: what `OnlineChatModule` has for it. From rows to a checked job, and from the job's end to the new model.

Knows the vendor's data, no vendor's wire and no key.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from ... import registry
from ...core.endpoints import Endpoint
from ...core.jobs import JobRecord, JobSpec
from ...core.protocols import CREDENTIALS
from ...core.remote_training import RemoteJob, RemoteSpec
from ...errors import ArgumentError, ModelNotFound
from ...settings import settings
from ..chat import ChatModule
from ..local.training import Tuning
from ..local.training_job import TrainsByJob
from ..streaming.printing import StreamOption
from .targeted import Targeted

if TYPE_CHECKING:
    from ...runtime.work.job import Job

BACKEND = "online"


class RemoteModels(list[RemoteJob]):
    """A vendor's fine-tunings, the newest first; a table where tables are shown."""

    def to_pandas(self) -> Any:
        """A frame with id, state, model, base model and the vendor's word."""
        import pandas as pd

        return pd.DataFrame([{"job": j.id, "state": j.state, "model": j.model, "base_model": j.base_model, "status": j.status} for j in self])

    def __repr__(self) -> str:
        return "\n".join(f"{j.id}  {j.state:<9}  {j.model or '-'}  ({j.base_model})" for j in self) or "No fine-tunings there."

    def _repr_html_(self) -> str:
        return str(self.to_pandas().to_html(index=False)) if self else "<p>No fine-tunings there.</p>"


class OnlineTraining(Targeted, TrainsByJob, ChatModule):
    """A chat module whose vendor can fine-tune."""

    _train_set: Any = None
    _valid_set: Any = None
    _train_arguments: Mapping[str, Any] = {}
    _deploy_arguments: Mapping[str, Any] = {}

    def __init__(self, *, stream: StreamOption = False, return_trace: bool = False, name: str = "") -> None:
        super().__init__(stream=stream, return_trace=return_trace, name=name)
        self._tuning = Tuning()

    @property
    def endpoint(self) -> Endpoint:
        """Where it answers, as the fine-tuned model when there is one."""
        endpoint, tuned = super().endpoint, self._tuning.model
        return replace(endpoint, model=tuned) if tuned else endpoint

    # ---- what to do

    def set_train_tasks(self, train_file: Any, validset: Any = None, **arguments: Any) -> Self:
        """Set what `update` has the vendor train on.

        Parameters
        ----------
        train_file : path, list of dict or DataFrame
            Rows of any form that `trainset` of a local model takes. Checked whole before anything is sent.
        validset : path, list of dict or DataFrame, optional
            Rows to validate with.
        **arguments
            The vendor's own, such as ``n_epochs`` or ``suffix``; what no argument stands for goes into ``extra``.

        Raises
        ------
        ArgumentError
            When the vendor does not fine-tune, or does not know an argument.
        """
        self._form().check(arguments)
        self._train_set, self._valid_set, self._train_arguments = train_file, validset, dict(arguments)
        return self

    def trainset(self, rows: Any, **arguments: Any) -> Self:
        """`set_train_tasks`, under the name that local models use."""
        return self.set_train_tasks(rows, **arguments)

    def set_deploy_parameters(self, **arguments: Any) -> Self:
        """Set the arguments of the vendor's deployment, where it wants one before a fine-tuned model answers."""
        self._deploy_arguments = dict(arguments)
        return self

    def set_specific_finetuned_model(self, model_id: str) -> Self:
        """Answer with a fine-tuned model, by its name or by the id of its fine-tuning (see `get_finetuned_models`)."""
        if not isinstance(model_id, str) or not model_id:
            raise ArgumentError(f"A model's name is a text, not {model_id!r}.", "", "See get_finetuned_models().")
        name = model_id
        if self._fine_tuning():
            found = self.get_finetuned_models()
            by_id = {j.id: j for j in found}
            if model_id in by_id:
                name = by_id[model_id].model
                if not name:
                    raise ModelNotFound(f"{model_id} has made no model.", f"It is {by_id[model_id].status}.", "See get_finetuned_models().")
        self._tuning.model = name
        return self

    # ---- what there is

    def get_finetuned_models(self) -> RemoteModels:
        """The fine-tunings of this account at the vendor."""
        from ...runtime.network import calls

        form = self._form()
        reply = calls.call(self._training_endpoint(), "plain", form.listing()).json() or {}
        return RemoteModels(form.listed(reply))

    def get_all_models(self) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """The account's fine-tunings as (id, model): those that made a model, and the others."""
        found = self.get_finetuned_models()
        return [(j.id, j.model) for j in found if j.model], [(j.id, j.model) for j in found if not j.model]

    def status(self, task: str | None = None) -> str:
        """The state of the last fine-tuning; ``idle`` before `update`."""
        job = self.job
        return str(job.state) if job else "idle"

    def attach(self, job: Job | str) -> Self:
        """Take up a fine-tuning that was begun elsewhere, by its job or id: `wait` then ends with its model."""
        from ...runtime.work import jobs

        record = jobs.store().job(job if isinstance(job, str) else job.id)
        if record.kind != "finetune" or record.spec.backend != BACKEND:
            raise ArgumentError(f"The job {record.name!r} is no vendor's fine-tuning.", "", "See wb.jobs().")
        self._adopt(record.id)
        return self

    def stop(self, task: str | None = None, *, recursive: bool = True) -> None:
        """Cancel the fine-tuning at the vendor (``finetune``); a vendor's model itself is not ours to stop."""
        if task == "finetune":
            self._begun("Call set_train_tasks(rows), then update().").stop()
        else:
            super().stop(recursive=recursive)

    # ---- the steps of `update`

    def _training(self) -> JobSpec | None:
        if self._train_set is None:
            return None
        from ...data.messages_file import write_messages

        facts, name = self._fine_tuning(), f"{self._target.provider.name} {self._target.endpoint.model}"
        bucket = getattr(self._form(), "bucket_scheme", "")
        folder = settings().folder("data") / f"online-{time.strftime('%Y%m%d')}"
        minimum = int(facts.get("minimum_rows", 1))

        def place(rows: Any, role: str) -> str:
            if rows is None:
                return ""
            if bucket:
                return str(rows)
            return write_messages(rows, role=role, folder=folder, minimum=minimum if role == "train" else 1).path

        spec = RemoteSpec(
            form=str(facts["form"]),
            endpoint=self._training_endpoint(),
            model=self._target.endpoint.model,
            train=place(self._train_set, "train"),
            valid=place(self._valid_set, "valid"),
            arguments=self._train_arguments,
            deploy=self._deploy_arguments,
            options={**facts, "cwd": os.getcwd()},
        )
        payload = spec.to_json()
        registry.get("finetune", BACKEND)().check(payload)
        return JobSpec("finetune", BACKEND, name, payload, share_key=_share_key(payload))

    def _training_files(self) -> Mapping[str, str | bytes]:
        from ...runtime.secrets.keys import held_parts

        # A key that was given as an argument lives in this process; the one that follows the job gets it in a file
        # that only the user can read, and removes the file when it has read it.
        parts = held_parts(self._target.endpoint)
        return {CREDENTIALS: json.dumps(dict(parts))} if parts else {}

    def _trained(self, record: JobRecord) -> None:
        self._tuning.model = str(record.result["model"])
        self._train_set = self._valid_set = None  # it is done: a further update() trains nothing again

    # ---- the vendor

    def _fine_tuning(self) -> Mapping[str, Any]:
        return self._target.provider.fine_tuning

    def _form(self) -> Any:
        provider, facts = self._target.provider, self._fine_tuning()
        if not facts.get("form"):
            from ...providers import catalog

            able = ", ".join(p.name for p in catalog.every() if p.fine_tuning.get("form"))
            cause = str(facts.get("note") or "It has no interface for it, or none that is known here.")
            raise ArgumentError(
                f"{provider.title} does not fine-tune through its API.", cause, f"Vendors that do: {able}. Or fine-tune a local model."
            )
        return registry.get("training_form", str(facts["form"]))(facts)

    def _training_endpoint(self) -> Endpoint:
        from ...runtime.secrets import keys

        provider, facts, chat = self._target.provider, self._fine_tuning(), self._target.endpoint
        # An address that the user gave stands for the vendor in everything.
        url = str(facts.get("url") or chat.url) if self._target.published else chat.url
        reference, needed = chat.key_ref, provider.sets_of("fine_tuning")
        if reference.startswith("provider:"):
            keys.provider_credentials(provider, "fine_tuning", model=chat.model)
            reference = f"provider:{provider.name}:fine_tuning"
        elif (held := keys.held_parts(chat)) and needed and not any(all(part in held for part in parts) for parts in needed):
            raise keys.missing_key(provider, "fine_tuning", model=chat.model)
        return replace(chat, url=url, key_ref=reference, auth=str(facts.get("auth") or chat.auth), options={}, headers=provider.headers)


def _share_key(payload: Mapping[str, Any]) -> str:
    """The same fine-tuning, asked for again while it runs (after a kernel's restart, say), is joined and not paid for twice."""
    endpoint = {k: v for k, v in payload["endpoint"].items() if k in ("url", "source")}
    body = json.dumps({**payload, "endpoint": endpoint}, sort_keys=True, default=str)
    return "remote-" + hashlib.sha256(body.encode()).hexdigest()[:16]
