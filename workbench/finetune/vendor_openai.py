"""Fine-tuning in OpenAI's form, which OpenAI, Azure and GLM speak: files, jobs, events. A pure codec; sends nothing.

Source: https://platform.openai.com/docs/api-reference/fine-tuning and its OpenAPI document; GLM's differences from the zhipuai package.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.protocols import FormPart, HttpRequest
from ..core.remote_training import RemoteDeployment, RemoteEvent, RemoteJob, RemoteSpec, RemoteState
from ..errors import unknown_argument

STATES: dict[str, RemoteState] = {
    "create": "pending",
    "validating_files": "pending",
    "queued": "pending",
    "paused": "running",
    "running": "running",
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
}
_NAMES = {  # the vendors' names of measured values → ours
    "train_loss": "loss",
    "training_loss": "loss",
    "loss": "loss",
    "valid_loss": "eval_loss",
    "validation_loss": "eval_loss",
    "full_valid_loss": "eval_loss",
    "eval_loss": "eval_loss",
    "train_mean_token_accuracy": "accuracy",
    "train_accuracy": "accuracy",
    "acc": "accuracy",
    "learning_rate": "learning_rate",
    "grad_norm": "grad_norm",
}
_IN_WORDS = re.compile(r"[Ss]tep\s+(\d+)\s*(?:/\s*(\d+))?")
_WORDS = "train_loss|training[ _]loss|full_valid_loss|valid_loss|validation[ _]loss|eval_loss|loss|learning_rate|grad_norm"
_VALUE = re.compile(rf"['\"]?\b({_WORDS})['\"]?\s*[:=]\s*(-?\d+(?:\.\d+)?(?:e[-+]?\d+)?)", re.I)
_EPOCH = re.compile(r"['\"]?\bepoch['\"]?\s*[:=]\s*(\d+(?:\.\d+)?)", re.I)


def state_of(status: str) -> RemoteState:
    """The state for a vendor's word, whatever its case; a word nobody knows is taken as running."""
    word = status.strip().lower()
    if word in STATES:
        return STATES[word]
    for part, state in (("succe", "succeeded"), ("complet", "succeeded"), ("fail", "failed"), ("error", "failed"), ("cancel", "cancelled")):
        if part in word:
            return "running" if word.endswith("ing") else state  # type: ignore[return-value]  # the table holds only states
    return "pending" if any(p in word for p in ("pend", "queu", "wait", "creat", "valid", "init")) else "running"


def values_of(data: Mapping[str, Any]) -> dict[str, float]:
    """The measured values among a vendor's fields, under our names."""
    return {ours: float(data[theirs]) for theirs, ours in _NAMES.items() if isinstance(data.get(theirs), int | float)}


def event_in_words(number: str, text: str, time: float | None = None, level: str = "info") -> RemoteEvent:
    """An event out of a line that people read, such as ``Step 30/100: training loss=0.42``."""
    at = _IN_WORDS.search(text)
    values = {_NAMES[name.lower().replace(" ", "_")]: float(value) for name, value in _VALUE.findall(text)}
    epoch = _EPOCH.search(text)
    return RemoteEvent(
        number,
        text,
        level,
        time,
        int(at[1]) if at else None,
        int(at[2]) if at and at[2] else None,
        float(epoch[1]) if epoch else None,
        values,
    )


def form(fields: Mapping[str, str], file: FormPart) -> tuple[FormPart, ...]:
    """The parts of a form with a file."""
    return (*(FormPart(k, v) for k, v in fields.items()), file)


class OpenAIForm:
    """Fine-tuning as OpenAI describes it: hyperparameters lie in ``method``.

    Its arguments: ``n_epochs``, ``batch_size``, ``learning_rate_multiplier`` (a number or ``'auto'``), ``suffix``, ``seed``,
    ``metadata``, ``integrations``, and ``extra`` (a dict that goes into the request as it is).
    """

    name = "openai"
    hyperparameters: tuple[str, ...] = ("n_epochs", "batch_size", "learning_rate_multiplier")
    others: tuple[str, ...] = ("suffix", "seed", "metadata", "integrations")

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        self.options = dict(options or {})

    def arguments(self) -> Sequence[str]:
        """Every argument name that it takes."""
        return (*self.hyperparameters, *self.others, "extra", "training_parameters")

    def check(self, arguments: Mapping[str, Any]) -> None:
        """Raises `ArgumentError` for an argument that the vendor does not know."""
        for name in arguments:
            if name not in self.arguments():
                raise unknown_argument(f"Fine-tuning at {self.name}", name, self.arguments())

    def line(self, row: Mapping[str, Any]) -> Any:
        """The row itself."""
        return row

    # ---- data

    def upload(self, name: str, content: bytes) -> HttpRequest:
        """``POST /files``."""
        return HttpRequest("POST", "/files", files=form({"purpose": "fine-tune"}, FormPart("file", content, name, "application/jsonl")))

    def uploaded(self, reply: Mapping[str, Any]) -> str:
        """The file's id."""
        return str(reply["id"])

    def prepare(self, file_id: str) -> HttpRequest | None:
        """Nothing: a file can be used as it is."""
        return None

    def prepared(self, reply: Mapping[str, Any]) -> tuple[str, bool]:
        """The id, usable."""
        return str(reply.get("id", "")), True

    def look_prepared(self, data_id: str) -> HttpRequest:
        """How a file stands."""
        return HttpRequest("GET", f"/files/{data_id}")

    # ---- the job

    def create(self, spec: RemoteSpec, train: str, valid: str) -> HttpRequest:
        """``POST /fine_tuning/jobs``."""
        body: dict[str, Any] = {"model": spec.model, "training_file": train}
        if valid:
            body["validation_file"] = valid
        body |= {k: spec.arguments[k] for k in self.others if k in spec.arguments}
        hyper = {k: spec.arguments[k] for k in self.hyperparameters if k in spec.arguments}
        body |= self._method(hyper)
        body |= dict(spec.arguments.get("training_parameters") or {}) | dict(spec.arguments.get("extra") or {})
        return HttpRequest("POST", "/fine_tuning/jobs", json=body, repeatable=False)

    def _method(self, hyper: dict[str, Any]) -> dict[str, Any]:
        return {"method": {"type": "supervised", "supervised": {"hyperparameters": hyper}}} if hyper else {}

    def look(self, job_id: str) -> HttpRequest:
        """``GET /fine_tuning/jobs/{id}``."""
        return HttpRequest("GET", f"/fine_tuning/jobs/{job_id}")

    def job(self, reply: Mapping[str, Any]) -> RemoteJob:
        """How the job stands."""
        error = reply.get("error") or {}
        status = str(reply.get("status") or "")
        tokens, finish = reply.get("trained_tokens"), reply.get("estimated_finish")
        return RemoteJob(
            str(reply["id"]),
            state_of(status),
            status,
            str(reply.get("model") or ""),
            str(reply.get("fine_tuned_model") or ""),
            str(error.get("message") or "") if isinstance(error, Mapping) else str(error),
            int(tokens) if tokens is not None else None,
            float(finish) if finish is not None else None,
        )

    def events(self, job_id: str) -> HttpRequest | None:
        """``GET /fine_tuning/jobs/{id}/events``, the newest first."""
        return HttpRequest("GET", f"/fine_tuning/jobs/{job_id}/events?limit=100")

    def older_events(self, job_id: str, reply: Mapping[str, Any]) -> HttpRequest | None:
        """The page of older events, where a reply says that there is one."""
        found = reply.get("data") or ()
        if not reply.get("has_more") or not found:
            return None
        return HttpRequest("GET", f"/fine_tuning/jobs/{job_id}/events?limit=100&after={found[-1]['id']}")

    def read_events(self, reply: Mapping[str, Any]) -> list[RemoteEvent]:
        """The events, oldest first."""
        found = [self._event(e) for e in reply.get("data") or () if isinstance(e, Mapping)]
        found.reverse()
        return sorted(found, key=lambda e: (e.time or 0.0, e.step or 0))

    def _event(self, e: Mapping[str, Any]) -> RemoteEvent:
        data = e.get("data")
        told = event_in_words(str(e.get("id") or ""), str(e.get("message") or ""), _time(e.get("created_at")), str(e.get("level") or "info"))
        if not isinstance(data, Mapping):
            return told
        step = data.get("step", data.get("current_steps"))
        most, epoch = data.get("total_steps"), data.get("epoch")
        return RemoteEvent(
            told.id,
            told.text,
            told.level,
            told.time,
            int(step) if step is not None else told.step,
            int(most) if most is not None else told.max_steps,
            float(epoch) if epoch is not None else told.epoch,
            values_of(data) or told.values,
        )

    def cancel(self, job_id: str) -> HttpRequest:
        """``POST /fine_tuning/jobs/{id}/cancel``."""
        return HttpRequest("POST", f"/fine_tuning/jobs/{job_id}/cancel")

    def listing(self) -> HttpRequest:
        """``GET /fine_tuning/jobs``."""
        return HttpRequest("GET", "/fine_tuning/jobs?limit=100")

    def listed(self, reply: Mapping[str, Any]) -> list[RemoteJob]:
        """The account's jobs, the newest first."""
        return [self.job(j) for j in reply.get("data") or ()]

    # ---- deploying

    def deploy(self, model: str, arguments: Mapping[str, Any]) -> HttpRequest | None:
        """Nothing: a fine-tuned model answers at once."""
        return None

    def look_deployed(self, deployment_id: str) -> HttpRequest:
        """There is no deployment."""
        raise NotImplementedError(f"{self.name} has no deployments.")

    def deployed(self, reply: Mapping[str, Any]) -> RemoteDeployment:
        """There is no deployment."""
        raise NotImplementedError(f"{self.name} has no deployments.")


class GlmForm(OpenAIForm):
    """GLM's: hyperparameters lie at the top, and an account without the feature answers 404 or 434."""

    name = "glm"
    others = ("suffix", "request_id")

    def _method(self, hyper: dict[str, Any]) -> dict[str, Any]:
        return {"hyperparameters": hyper} if hyper else {}


def _time(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
