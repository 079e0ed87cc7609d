"""LoRA adapters of a running server: which it has, load one more, forget one. Knows vLLM's requests, which our door
before llama.cpp takes as well; starts nothing.

https://docs.vllm.ai/en/latest/features/lora/#dynamically-serving-lora-adapters. An adapter is called as a model is: by its
name, at the same address.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...core.endpoints import Endpoint
from ...deploy import lora
from ...errors import ArgumentError, EndpointDown, EndpointError, ModelNotFound
from .. import loop
from ..network import http
from ..secrets.keys import credentials_of
from . import adapter_files
from .endpoints import last_words

__all__ = ["adapters", "load", "unload"]

_RANK = re.compile(r"rank (\d+) is greater than max_lora_rank (\d+)")
_NO_LORA = re.compile(r"LoRA is not enabled|enable.lora|lora_manager|has no attribute 'add_lora'", re.I)


def adapters(endpoint: Endpoint) -> dict[str, str]:
    """The adapters that a server has loaded: name → where it read them.

    Raises
    ------
    EndpointError
        When it does not answer, or refuses.
    """
    status, said = _ask(endpoint, "GET", "/models")
    if status != 200:
        raise _refused(endpoint, status, said, f"{endpoint.url} does not tell its models.")
    return {str(m["id"]): str(m.get("root") or "") for m in _object(said).get("data") or () if m.get("parent")}


def load(endpoint: Endpoint, name: str, path: str | os.PathLike[str]) -> Endpoint:
    """Load an adapter beside the model, under a name; one of that name from another folder is replaced.

    Parameters
    ----------
    endpoint : Endpoint
        Of a server, vLLM or llama.cpp, that was started with ``enable_lora=True`` or with ``adapters=``.
    name : str
        How callers choose it.
    path : str or path
        The folder that a LoRA fine-tuning left, as the server sees it.

    Returns
    -------
    Endpoint
        The same server, asked for the adapter.

    Raises
    ------
    ModelNotFound, ArgumentError
        When the folder holds no adapter that could be loaded, its rank is higher than the server has room for, or the
        server was started without LoRA.
    EndpointError
        When the server does not answer, or refuses for another reason.
    """
    place = str(Path(path).expanduser().absolute())
    more: dict[str, Any] = {}
    if endpoint.job_id and endpoint.options.get("adapters") == "gguf":
        more = {"lora_gguf": str(adapter_files.gguf_of(endpoint, name, place))}
    elif endpoint.job_id:  # a server elsewhere may see other folders
        lora.check_one(name, place, "vLLM")
        _check_room(endpoint, name, lora.rank(Path(place)))
    there = adapters(endpoint).get(name)
    if there != place:
        body = {"lora_name": name, "lora_path": place, **more, **({"load_inplace": True} if there else {})}
        status, said = _ask(endpoint, "POST", "/load_lora_adapter", body)
        if status != 200 and adapters(endpoint).get(name) != place:  # somebody else may have loaded it meanwhile
            raise _refused(endpoint, status, said, f"The adapter {name!r} was not loaded.")
    return replace(endpoint, model=name)


def unload(endpoint: Endpoint, name: str) -> None:
    """Forget an adapter; requests that it is answering come to their end.

    Raises
    ------
    ModelNotFound
        When the server has none of that name.
    EndpointError
    """
    status, said = _ask(endpoint, "POST", "/unload_lora_adapter", {"lora_name": name})
    if status == 200:
        return
    have = adapters(endpoint)
    if name not in have and not _no_route(status, said):
        raise ModelNotFound(f"No adapter {name!r} is loaded.", f"Loaded are: {', '.join(have) or 'none'}.", "m.adapters lists them.")
    raise _refused(endpoint, status, said, f"The adapter {name!r} was not unloaded.")


def _check_room(endpoint: Endpoint, name: str, rank: int) -> None:
    if not endpoint.options.get("adapters"):
        raise _without(f"The adapter {name!r} cannot be loaded.")
    most = endpoint.options.get("max_lora_rank")
    if most and rank > int(most):
        raise _too_high(name, rank, int(most))


def _refused(endpoint: Endpoint, status: int, said: str, what: str) -> Exception:
    if _no_route(status, said) or _NO_LORA.search(said):
        return _without(what)
    if found := _RANK.search(said):
        return _too_high(what, int(found[1]), int(found[2]))
    error = _object(said).get("error")
    message = str(error.get("message") if isinstance(error, Mapping) else error or said)[:1000]
    return EndpointError(what, message, "", model=endpoint.model, status=status, log_tail=last_words(endpoint) if status >= 500 else "")


def _no_route(status: int, said: str) -> bool:
    """Whether the server has no such path; a name that it does not know is a 404, too, with an error of its own."""
    return status in (404, 405) and "error" not in _object(said)


def _without(what: str) -> ArgumentError:
    return ArgumentError(
        what,
        "The server was started without LoRA, or does not load adapters while it runs.",
        "Start it with deploy_method(workbench.deploy.vllm, enable_lora=True), or with adapters={'name': folder}; "
        "a vLLM of your own needs --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=1.",
    )


def _too_high(name: str, rank: int, most: int) -> ArgumentError:
    return ArgumentError(
        f"The adapter {name!r} has rank {rank}." if not name.endswith(".") else name,
        f"Its rank is {rank}; the server has room for ranks up to {most}.",
        f"Start the server with max_lora_rank={rank}.",
    )


def _ask(endpoint: Endpoint, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, str]:
    """The status and the text of an answer."""
    return loop.run(_answer(endpoint, method, path, body))


async def _answer(endpoint: Endpoint, method: str, path: str, body: Mapping[str, Any] | None) -> tuple[int, str]:
    key = credentials_of(endpoint).get("key")
    headers = {**endpoint.headers, **({"Authorization": f"Bearer {key}"} if key else {}), "Content-Type": "application/json"}
    data = json.dumps(body).encode() if body is not None else None
    try:
        async with http.send(method, endpoint.url.rstrip("/") + path, data, headers, network=endpoint.network) as answer:
            return answer.status, await answer.text(1 << 20)
    except (http.ConnectFailed, http.Disconnected, http.NotHttp) as e:
        fix = "Type start() to deploy it again." if endpoint.job_id else "Check the address, and that the server runs."
        raise EndpointDown(f"Nobody answers at {endpoint.url}.", str(e), fix, model=endpoint.model, log_tail=last_words(endpoint)) from None


def _object(said: str) -> dict[str, Any]:
    try:
        value = json.loads(said)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
