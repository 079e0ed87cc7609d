"""How a model is served, for `ModelMeta.served`: from the deployment's record, from its processes, and asked of the server itself.

A server tells its context in ``/v1/models`` (``max_model_len`` of vLLM, SGLang and LMDeploy; ``meta`` of llama.cpp) or, llama.cpp's, in ``/props``:
https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html and
https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md. What nobody tells stays empty; nothing here raises for it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...core.endpoints import Endpoint
from ...core.jobs import JobRecord, JobState
from ...core.models import ModelMeta, Served
from ...core.specs import DeploySpec
from ...errors import WorkbenchError
from .. import loop
from ..inspecting.prompting import root_of
from ..network import http
from ..secrets.keys import credentials_of

_ROOM = ("max_model_len", "ctx_size", "n_ctx", "context_length", "session_len", "max_req_total_len", "max_total_token_num")
_CONNECT = 2.0
_LONGEST = 4.0  # seconds that a server has for all that it tells: one that hangs takes requests and never answers


def of_deployment(record: JobRecord, endpoint: Endpoint | None) -> Served:
    """How a deployment serves; what only the server knows is asked while it answers."""
    spec = DeploySpec.from_json(record.spec.payload)
    answers = endpoint is not None and record.state is JobState.RUNNING
    told = _ask(endpoint) if endpoint is not None and answers else {}
    arguments = dict(spec.arguments)
    template = spec.chat_template or str(arguments.get("chat_template") or arguments.get("chat_template_file") or "")
    memory, gpu_memory = _held(record) if answers else (0, 0)
    return Served(
        engine=record.spec.backend.rpartition(":")[2],
        model=endpoint.model if endpoint is not None else spec.served_name,
        url=endpoint.url if endpoint is not None else "",
        state=str(record.state),
        context_length=int(told.get("context") or next((int(arguments[n]) for n in _ROOM if _whole(arguments.get(n))), 0)),
        chat_template=_template(template),
        adapters=tuple(dict.fromkeys([*spec.adapters, *told.get("adapters", ())])),
        pooling=str(endpoint.options.get("pooling") or "") if endpoint is not None else "",
        memory=memory,
        gpu_memory=gpu_memory,
        need=_need(spec, record.spec.backend),
    )


def of_address(endpoint: Endpoint, name: str) -> ModelMeta:
    """What a server of the user's tells of its model."""
    told = _ask(endpoint)
    served = Served(
        engine=str(told.get("engine") or ""),
        model=endpoint.model or str(told.get("model") or ""),
        url=endpoint.url,
        context_length=int(told.get("context") or 0),
        adapters=tuple(told.get("adapters", ())),
    )
    return ModelMeta("", name or served.model or urlsplit(endpoint.url).netloc, served=served)


def _ask(endpoint: Endpoint) -> dict[str, Any]:
    """What a server says: ``model``, ``context``, ``adapters``, ``engine``; only those that it does say."""
    try:
        return loop.run(_asked_in_time(endpoint))
    except (WorkbenchError, OSError, TimeoutError):
        return {}


async def _asked_in_time(endpoint: Endpoint) -> dict[str, Any]:
    async with asyncio.timeout(_LONGEST):
        return await _asked(endpoint)


async def _asked(endpoint: Endpoint) -> dict[str, Any]:
    listed = await _get(endpoint, endpoint.url.rstrip("/") + "/models")
    rows = [r for r in listed.get("data") or () if isinstance(r, dict)] if isinstance(listed.get("data"), list) else []
    found: dict[str, Any] = {}
    own = next((r for r in rows if r.get("id") == endpoint.model), None) or next((r for r in rows if not r.get("parent")), {})
    base = next((r for r in rows if r.get("id") == own.get("parent")), own)
    if own.get("id"):
        found["model"] = str(own["id"])
    if adapters := [str(r["id"]) for r in rows if r.get("parent") and r.get("id")]:
        found["adapters"] = adapters
    if context := next((int(r[k]) for r in (own, base) for k in ("max_model_len", "context_length", "max_context_length") if _whole(r.get(k))), 0):
        found["context"] = context
    by = str(base.get("owned_by") or "").lower()
    if by in ("vllm", "sglang", "lmdeploy", "llamacpp", "lightllm"):
        found["engine"] = by.replace("llamacpp", "llama_cpp")
    if "context" not in found and found.get("engine", "llama_cpp") == "llama_cpp":
        props = await _get(endpoint, root_of(endpoint.url) + "/props")
        settings = props.get("default_generation_settings")
        if isinstance(settings, Mapping) and _whole(settings.get("n_ctx")):
            found |= {"context": int(settings["n_ctx"]), "engine": "llama_cpp"}
    return found


async def _get(endpoint: Endpoint, url: str) -> dict[str, Any]:
    key = credentials_of(endpoint).get("key")
    headers = {**endpoint.headers, **({"Authorization": f"Bearer {key}"} if key else {})}
    try:
        async with http.send("GET", url, None, headers, connect_timeout=_CONNECT, network=replace(endpoint.network, max_retries=0)) as answer:
            value = json.loads(await answer.text(1 << 20)) if answer.status == 200 else {}
    except (http.ConnectFailed, http.Disconnected, http.NotHttp, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _held(record: JobRecord) -> tuple[int, int]:
    """Bytes of the machine's memory and of GPUs that a deployment's processes hold."""
    from .. import nvml
    from ..processes import trees

    tree = next((t for t in trees([record]) if t.job_id == record.id), None)
    if tree is None:
        return 0, 0
    return tree.memory, sum(p.memory for card in nvml.read().gpus for p in card.processes if p.pid in tree.members)


def _need(spec: DeploySpec, engine: str) -> dict[str, int]:
    from .fit import fit_of

    try:
        fit = fit_of(spec, engine)
    except WorkbenchError:
        fit = None
    if fit is None:
        return {}
    total = fit.weights + fit.kv + fit.overhead
    return {"weights": fit.weights, "cache": fit.kv, "tokens": fit.tokens, "beside": fit.overhead, "total": total}


def _template(given: str) -> str:
    if not given:
        return ""
    return f"the file {given}" if len(given) < 500 and Path(given).is_file() else "one of the deployment"


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
