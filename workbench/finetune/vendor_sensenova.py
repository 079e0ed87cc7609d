"""Fine-tuning at SenseNova: a file, a data set of it, ``/fine-tunes``, and a serving before the first call. A pure codec.

Source: the sensenova package 1.0.6, which is old: whether new accounts may fine-tune is not confirmed, nor are the names of the states, which
are compared by their beginnings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.protocols import FormPart, HttpRequest
from ..core.remote_training import RemoteDeployment, RemoteEvent, RemoteJob, RemoteSpec
from .vendor_openai import OpenAIForm, form, state_of


class SenseNovaForm(OpenAIForm):
    """Fine-tuning at SenseNova.

    Its arguments: ``suffix``, and everything else in ``training_parameters`` or ``extra``, which go into the request as they are.
    """

    name = "sensenova"
    hyperparameters = ()
    others = ("suffix",)

    def line(self, row: Mapping[str, Any]) -> Any:
        """The bare list of turns."""
        return [{"role": m["role"], "content": m.get("content") or ""} for m in row["messages"]]

    def upload(self, name: str, content: bytes) -> HttpRequest:
        """``POST /files`` at the vendor's host for files."""
        url = self.options.get("upload_url", "/files")
        fields = {"description": "training file", "scheme": "FINE_TUNE_2"}
        return HttpRequest("POST", url, files=form(fields, FormPart("file", content, name, "application/json")))

    def prepare(self, file_id: str) -> HttpRequest | None:
        """``POST /fine-tune/datasets``."""
        return HttpRequest("POST", "/fine-tune/datasets", json={"description": "fine-tuning data set", "files": [file_id]})

    def prepared(self, reply: Mapping[str, Any]) -> tuple[str, bool]:
        """The data set's id, and whether it is ready."""
        found = reply["dataset"]
        return str(found["id"]), str(found.get("status") or "").lower() == "ready"

    def look_prepared(self, data_id: str) -> HttpRequest:
        """``GET /fine-tune/datasets/{id}``."""
        return HttpRequest("GET", f"/fine-tune/datasets/{data_id}")

    def create(self, spec: RemoteSpec, train: str, valid: str) -> HttpRequest:
        """``POST /fine-tunes``."""
        body: dict[str, Any] = {"model": spec.model, "training_file": train}
        if "suffix" in spec.arguments:
            body["suffix"] = spec.arguments["suffix"]
        body |= dict(spec.arguments.get("training_parameters") or {}) | dict(spec.arguments.get("extra") or {})
        return HttpRequest("POST", "/fine-tunes", json=body, repeatable=False)

    def look(self, job_id: str) -> HttpRequest:
        """``GET /fine-tunes/{id}``."""
        return HttpRequest("GET", f"/fine-tunes/{job_id}")

    def job(self, reply: Mapping[str, Any]) -> RemoteJob:
        """How the job stands."""
        return _job(reply.get("job") or reply)

    def events(self, job_id: str) -> HttpRequest | None:
        """None: it tells nothing but the state."""
        return None

    def older_events(self, job_id: str, reply: Mapping[str, Any]) -> HttpRequest | None:
        """None: it tells all at once."""
        return None

    def read_events(self, reply: Mapping[str, Any]) -> list[RemoteEvent]:
        """Nothing."""
        return []

    def cancel(self, job_id: str) -> HttpRequest:
        """``POST /fine-tunes/{id}/cancel``."""
        return HttpRequest("POST", f"/fine-tunes/{job_id}/cancel")

    def listing(self) -> HttpRequest:
        """``GET /fine-tunes``."""
        return HttpRequest("GET", "/fine-tunes")

    def listed(self, reply: Mapping[str, Any]) -> list[RemoteJob]:
        """The account's jobs."""
        return [_job(j) for j in reply.get("jobs") or reply.get("data") or ()]

    def deploy(self, model: str, arguments: Mapping[str, Any]) -> HttpRequest | None:
        """``POST /fine-tune/servings``; ``config.run_time`` 0 runs until it is cancelled."""
        return HttpRequest("POST", "/fine-tune/servings", json={"model": model, "config": {"run_time": 0}, **arguments}, repeatable=False)

    def look_deployed(self, deployment_id: str) -> HttpRequest:
        """``GET /fine-tune/servings/{id}``."""
        return HttpRequest("GET", f"/fine-tune/servings/{deployment_id}")

    def deployed(self, reply: Mapping[str, Any]) -> RemoteDeployment:
        """How the serving stands; the model keeps its name."""
        found = reply.get("job") or reply
        status = str(found.get("status") or "")
        return RemoteDeployment(str(found["id"]), status.lower() == "running", state_of(status) in ("failed", "cancelled"), status)


def _job(found: Mapping[str, Any]) -> RemoteJob:
    status = str(found.get("status") or "")
    message = str(found.get("message") or found.get("error") or "")
    return RemoteJob(str(found["id"]), state_of(status), status, str(found.get("model") or ""), str(found.get("fine_tuned_model") or ""), message)
