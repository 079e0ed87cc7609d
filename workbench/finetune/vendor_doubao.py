"""Fine-tuning at Doubao (Volcengine Ark): signed actions, training data in the user's own TOS bucket, an endpoint before the first call.

A pure codec. Source: the volcenginesdk-ark package 5.0.54 (fields of every request and reply). The phases of a job and the names of its
metrics are free texts there: phases are compared by their beginnings, metrics by the words in them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ..core.protocols import HttpRequest
from ..core.remote_training import RemoteDeployment, RemoteEvent, RemoteJob, RemoteSpec
from ..errors import ArgumentError
from .vendor_openai import OpenAIForm, state_of

_VERSION = "2024-01-01"
_TYPES = ("FinetuneSft", "FinetuneLoRA", "Pretrain", "DPO", "DPOLoRA")


class DoubaoForm(OpenAIForm):
    """Fine-tuning at Volcengine Ark. The training set is named by its place in a bucket: ``trainset('tos://bucket/train.jsonl')``.

    Its arguments: ``customization_type`` (``FinetuneLoRA`` unless given; FinetuneSft, Pretrain, DPO, DPOLoRA), ``name``, ``model_version``,
    ``validation_percentage``, ``project_name``, ``save_model_limit``, ``hyperparameters`` (a dict under Ark's names), ``extra``.
    """

    name = "doubao"
    hyperparameters = ("hyperparameters",)
    others = ("customization_type", "name", "model_version", "validation_percentage", "project_name", "save_model_limit")
    bucket_scheme = "tos"

    def check(self, arguments: Mapping[str, Any]) -> None:
        """Raises `ArgumentError` for an unknown argument or type."""
        super().check(arguments)
        kind = arguments.get("customization_type", _TYPES[1])
        if kind not in _TYPES:
            raise ArgumentError(f"customization_type={kind!r} cannot be.", "", f"Write one of {', '.join(_TYPES)}.")

    def create(self, spec: RemoteSpec, train: str, valid: str) -> HttpRequest:
        """``CreateModelCustomizationJob``."""
        a = spec.arguments
        data: dict[str, Any] = {"TrainingSet": _in_bucket(spec.train)}
        if spec.valid:
            data["ValidationSet"] = _in_bucket(spec.valid)
        elif "validation_percentage" in a:
            data["ValidationPercentage"] = int(a["validation_percentage"])
        model = {"Name": spec.model} | ({"ModelVersion": a["model_version"]} if "model_version" in a else {})
        body: dict[str, Any] = {
            "Name": a.get("name", "workbench"),
            "CustomizationType": a.get("customization_type", _TYPES[1]),
            "ModelReference": {"FoundationModel": model},
            "Data": data,
        }
        if hyper := dict(a.get("hyperparameters") or {}):
            body["Hyperparameters"] = [{"Name": k, "Value": str(v)} for k, v in hyper.items()]
        for ours, theirs in (("project_name", "ProjectName"), ("save_model_limit", "SaveModelLimit")):
            if ours in a:
                body[theirs] = a[ours]
        return _action("CreateModelCustomizationJob", body | dict(a.get("extra") or {}), repeatable=False)

    def look(self, job_id: str) -> HttpRequest:
        """``GetModelCustomizationJob``."""
        return _action("GetModelCustomizationJob", {"Id": job_id})

    def job(self, reply: Mapping[str, Any]) -> RemoteJob:
        """How the job stands."""
        return _job(reply.get("Result") or reply)

    def events(self, job_id: str) -> HttpRequest | None:
        """``GetModelCustomizationJobMetricData``."""
        return _action("GetModelCustomizationJobMetricData", {"ModelCustomizationJobId": job_id})

    def older_events(self, job_id: str, reply: Mapping[str, Any]) -> HttpRequest | None:
        """None: it tells all at once."""
        return None

    def read_events(self, reply: Mapping[str, Any]) -> list[RemoteEvent]:
        """One event a step, with what was measured at it."""
        steps: defaultdict[int, dict[str, float]] = defaultdict(dict)
        for item in (reply.get("Result") or reply).get("Items") or ():
            if name := _metric(str(item.get("Metric") or "")):
                for sample in item.get("Samples") or ():
                    steps[int(sample["Step"])][name] = float(sample["Value"])
        return [RemoteEvent(f"step-{step}", step=step, values=values) for step, values in sorted(steps.items())]

    def cancel(self, job_id: str) -> HttpRequest:
        """``TerminateModelCustomizationJob``."""
        return _action("TerminateModelCustomizationJob", {"Id": job_id})

    def listing(self) -> HttpRequest:
        """``ListModelCustomizationJobs``, the newest first."""
        return _action("ListModelCustomizationJobs", {"PageNumber": 1, "PageSize": 100, "SortBy": "CreateTime", "SortOrder": "Desc"})

    def listed(self, reply: Mapping[str, Any]) -> list[RemoteJob]:
        """The account's jobs."""
        return [_job(j) for j in (reply.get("Result") or reply).get("Items") or ()]

    def deploy(self, model: str, arguments: Mapping[str, Any]) -> HttpRequest | None:
        """``CreateEndpoint`` for the custom model."""
        body = {"Name": arguments.get("name", "workbench"), "ModelReference": {"CustomModelId": model}}
        return _action("CreateEndpoint", body | {k: v for k, v in arguments.items() if k != "name"}, repeatable=False)

    def look_deployed(self, deployment_id: str) -> HttpRequest:
        """``GetEndpoint``."""
        return _action("GetEndpoint", {"Id": deployment_id})

    def deployed(self, reply: Mapping[str, Any]) -> RemoteDeployment:
        """How the endpoint stands; it is called by its id."""
        found = reply.get("Result") or reply
        name, status = str(found["Id"]), str(found.get("Status") or "")
        return RemoteDeployment(name, status.lower() == "running", state_of(status) in ("failed", "cancelled"), status, name)


def _action(name: str, body: Mapping[str, Any], repeatable: bool = True) -> HttpRequest:
    return HttpRequest("POST", "/", json=body, query={"Action": name, "Version": _VERSION}, repeatable=repeatable)


def _in_bucket(address: str) -> dict[str, Any]:
    parts = urlsplit(address)
    return {"TosBucket": parts.netloc, "TosPaths": [parts.path.lstrip("/")]}


def _job(found: Mapping[str, Any]) -> RemoteJob:
    status = found.get("Status") or {}
    phase, message = str(status.get("Phase") or ""), str(status.get("Message") or found.get("Reason") or "")
    outputs: Sequence[Mapping[str, Any]] = found.get("Outputs") or ()
    model = next((str(o["CustomModelId"]) for o in reversed(outputs) if o.get("CustomModelId")), "")
    base = ((found.get("ModelReference") or {}).get("FoundationModel") or {}).get("Name") or ""
    tokens = status.get("BillableTokens")
    return RemoteJob(str(found["Id"]), state_of(phase) if phase else "pending", phase, str(base), model, message, tokens)


def _metric(name: str) -> str:
    word = name.lower()
    if "loss" in word:
        return "eval_loss" if "val" in word or "eval" in word else "loss"
    return "learning_rate" if word in ("lr", "learning_rate") else ""
