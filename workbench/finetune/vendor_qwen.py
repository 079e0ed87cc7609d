"""Fine-tuning at Qwen (DashScope): files, ``/fine-tunes``, logs, and a deployment before the first call. A pure codec.

Source: the dashscope package (``customize``) and https://help.aliyun.com/zh/model-studio/developer-reference/fine-tuning-api. Some states stand
in the reference only, and the form of the log's lines is not published: what cannot be read is shown as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.protocols import FormPart, HttpRequest
from ..core.remote_training import RemoteDeployment, RemoteEvent, RemoteJob, RemoteSpec
from .vendor_openai import OpenAIForm, event_in_words, form, state_of

_PEERS = {"num_epochs": "n_epochs", "cutoff_len": "max_length", "lora_r": "lora_rank"}


class QwenForm(OpenAIForm):
    """Fine-tuning at Qwen.

    Its arguments: ``training_type`` (``sft``, or ``efficient_sft`` for LoRA) and, as hyper-parameters, ``n_epochs``, ``batch_size``,
    ``learning_rate``, ``split``, ``warmup_ratio``, ``eval_steps``, ``lr_scheduler_type``, ``max_length``, ``lora_rank``,
    ``lora_alpha``, ``lora_dropout``; ``extra``.
    """

    name = "qwen"
    hyperparameters = (
        "n_epochs",
        "batch_size",
        "learning_rate",
        "split",
        "warmup_ratio",
        "eval_steps",
        "lr_scheduler_type",
        "max_length",
        "lora_rank",
        "lora_alpha",
        "lora_dropout",
        *_PEERS,
    )
    others = ("training_type",)

    def upload(self, name: str, content: bytes) -> HttpRequest:
        """``POST /files``."""
        fields = {"purpose": "fine-tune", "descriptions": "training file"}
        return HttpRequest("POST", "/files", files=form(fields, FormPart("files", content, name, "application/jsonl")))

    def uploaded(self, reply: Mapping[str, Any]) -> str:
        """The file's id."""
        return str(reply["data"]["uploaded_files"][0]["file_id"])

    def create(self, spec: RemoteSpec, train: str, valid: str) -> HttpRequest:
        """``POST /fine-tunes``."""
        given = spec.arguments
        hyper = {_PEERS.get(k, k): given[k] for k in self.hyperparameters if k in given}
        if "learning_rate" in hyper:
            hyper["learning_rate"] = str(hyper["learning_rate"])  # the vendor wants a text here
        body: dict[str, Any] = {"model": spec.model, "training_file_ids": [train], "training_type": given.get("training_type", "efficient_sft")}
        if valid:
            body["validation_file_ids"] = [valid]
        if hyper:
            body["hyper_parameters"] = hyper
        body |= dict(given.get("training_parameters") or {}) | dict(given.get("extra") or {})
        return HttpRequest("POST", "/fine-tunes", json=body, repeatable=False)

    def look(self, job_id: str) -> HttpRequest:
        """``GET /fine-tunes/{id}``."""
        return HttpRequest("GET", f"/fine-tunes/{job_id}")

    def job(self, reply: Mapping[str, Any]) -> RemoteJob:
        """How the job stands."""
        return _job(reply.get("output") or reply)

    def events(self, job_id: str) -> HttpRequest | None:
        """``GET /fine-tunes/{id}/logs``."""
        return HttpRequest("GET", f"/fine-tunes/{job_id}/logs?offset=0&line=1000")

    def older_events(self, job_id: str, reply: Mapping[str, Any]) -> HttpRequest | None:
        """None: it tells all at once."""
        return None

    def read_events(self, reply: Mapping[str, Any]) -> list[RemoteEvent]:
        """The log's lines; where one tells a loss, with it."""
        lines = (reply.get("output") or {}).get("logs") or ()
        return [event_in_words(f"line-{n}", str(line)) for n, line in enumerate(lines)]

    def cancel(self, job_id: str) -> HttpRequest:
        """``POST /fine-tunes/{id}/cancel``."""
        return HttpRequest("POST", f"/fine-tunes/{job_id}/cancel")

    def listing(self) -> HttpRequest:
        """``GET /fine-tunes``."""
        return HttpRequest("GET", "/fine-tunes?page_no=1&page_size=100")

    def listed(self, reply: Mapping[str, Any]) -> list[RemoteJob]:
        """The account's jobs."""
        return [_job(j) for j in (reply.get("output") or {}).get("jobs") or ()]

    def deploy(self, model: str, arguments: Mapping[str, Any]) -> HttpRequest | None:
        """``POST /deployments``; ``capacity`` is 2 unless given."""
        return HttpRequest("POST", "/deployments", json={"model_name": model, "capacity": 2, **arguments}, repeatable=False)

    def look_deployed(self, deployment_id: str) -> HttpRequest:
        """``GET /deployments/{id}``."""
        return HttpRequest("GET", f"/deployments/{deployment_id}")

    def deployed(self, reply: Mapping[str, Any]) -> RemoteDeployment:
        """How the deployment stands; it is called by its own name."""
        output = reply.get("output") or reply
        name, status = str(output["deployed_model"]), str(output.get("status") or "")
        return RemoteDeployment(name, status.upper() == "RUNNING", status.upper() == "FAILED", status, name)


def _job(output: Mapping[str, Any]) -> RemoteJob:
    status = str(output.get("status") or "")
    usage = output.get("usage")
    return RemoteJob(
        str(output["job_id"]),
        state_of(status),
        status,
        str(output.get("model") or ""),
        str(output.get("finetuned_output") or ""),
        str(output.get("message") or output.get("error_message") or ""),
        int(usage) if isinstance(usage, int | float) else None,
    )
