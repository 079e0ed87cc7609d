"""What a server's own numbers mean, for each kind of server: one `Reading`. Standard library only; asks nobody.

The names are those that the servers publish: https://docs.vllm.ai/en/latest/usage/metrics/,
https://docs.sglang.ai/references/production_metrics.html, ``lmdeploy/metrics/loggers.py`` of LMDeploy,
https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md (``/metrics`` and ``/slots``), ``lightllm/server/metrics``
of LightLLM, and ``prometheus_fastapi_instrumentator`` for infinity. Where a server has several names for a thing, older
versions' come last. Our own servers write the flavour ``workbench`` (`exposition`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from .metrics_text import Samples
else:
    from metrics_text import Samples

Get = Callable[[str], str]


@dataclass(frozen=True)
class Reading:
    """One look at a server. None is what it does not tell.

    Attributes
    ----------
    running, waiting : float
        Requests that are being answered now, and those that wait for their turn.
    requests : float or None
        Requests since the start, those of this moment among them.
    generated, prompt : float or None
        Tokens since the start.
    cache : float or None
        The share of its cache that is in use, 0 to 1.
    """

    running: float = 0.0
    waiting: float = 0.0
    requests: float | None = None
    generated: float | None = None
    prompt: float | None = None
    cache: float | None = None


@dataclass(frozen=True)
class Names:
    """Under which names a server publishes its numbers; the first that is there counts.

    Some servers count a request when it comes (``arrived``), others when it ends (``finished``).
    """

    running: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    finished: tuple[str, ...] = ()
    generated: tuple[str, ...] = ()
    prompt: tuple[str, ...] = ()
    cache: tuple[str, ...] = ()
    arrived: tuple[str, ...] = ()


FLAVOURS: dict[str, Names] = {
    "vllm": Names(
        ("vllm:num_requests_running",),
        ("vllm:num_requests_waiting",),
        ("vllm:request_success_total",),
        ("vllm:generation_tokens_total",),
        ("vllm:prompt_tokens_total",),
        ("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"),
    ),
    "sglang": Names(
        ("sglang:num_running_reqs",),
        ("sglang:num_queue_reqs",),
        ("sglang:num_requests_total",),
        ("sglang:generation_tokens_total",),
        ("sglang:prompt_tokens_total",),
        ("sglang:token_usage",),
    ),
    "lmdeploy": Names(
        ("lmdeploy:num_requests_running",),
        ("lmdeploy:num_requests_waiting",),
        ("lmdeploy:request_success_total",),
        ("lmdeploy:generation_tokens_total",),
        ("lmdeploy:prompt_tokens_total",),
        ("lmdeploy:gpu_cache_usage_perc",),
    ),
    "lightllm": Names(
        ("lightllm_num_running_reqs", "lightllm_batch_current_size"),
        ("lightllm_queue_size",),
        ("lightllm_request_success_total", "lightllm_request_success"),
        ("lightllm_generation_tokens_total",),
        ("lightllm_prompt_tokens_total",),
    ),
    "workbench": Names(
        ("workbench:requests_running",),
        ("workbench:requests_waiting",),
        generated=("workbench:generation_tokens_total",),
        prompt=("workbench:prompt_tokens_total",),
        arrived=("workbench:requests_total",),
    ),
}
_LLAMA = Names(
    ("llamacpp:requests_processing",),
    ("llamacpp:requests_deferred",),
    generated=("llamacpp:tokens_predicted_total",),
    prompt=("llamacpp:prompt_tokens_total",),
    cache=("llamacpp:kv_cache_usage_ratio",),
)
_OURS = {"/metrics", "/health", "/ready", "/v1/models", "/models"}  # what is asked to look after a server, and is no use of it
KNOWN = tuple(sorted({*FLAVOURS, "llama_cpp", "infinity"}))


def read(flavour: str, get: Get, facts: Mapping[str, Any]) -> Reading:
    """Look at a server.

    Parameters
    ----------
    flavour : str
        One of `KNOWN`.
    get : callable
        The body at a path of the server. Raises OSError.
    facts : Mapping
        What the runner knows: ``cache_tokens``, the length of llama.cpp's whole cache; ``begun``, which tells how many requests it has begun with.

    Raises
    ------
    OSError, ValueError
        When it does not answer, or not in its form.
    """
    if flavour == "llama_cpp":
        return _llama(get, facts)
    samples = Samples(get("/metrics"))
    return _infinity(samples) if flavour == "infinity" else _named(FLAVOURS[flavour], samples)


def _named(names: Names, samples: Samples) -> Reading:
    running, waiting = samples.total(names.running) or 0.0, samples.total(names.waiting) or 0.0
    finished = samples.total(names.finished)
    requests = samples.total(names.arrived) if finished is None else finished + running + waiting
    return Reading(running, waiting, requests, samples.total(names.generated), samples.total(names.prompt), samples.mean(names.cache))


def _infinity(samples: Samples) -> Reading:
    """infinity counts the requests of every path together with those of whoever looks after it."""
    counted = samples.of("http_requests_total") or samples.of("http_request_duration_seconds_count")
    return Reading(requests=sum(s.value for s in counted if s.labels.get("handler") not in _OURS))


def _llama(get: Get, facts: Mapping[str, Any]) -> Reading:
    """llama.cpp counts a request's tokens when it ends; its slots tell those of the answers being written. It counts no requests: its log has
    a line for each that it begins with, which the runner counts.
    """
    told = _named(_LLAMA, Samples(get("/metrics")))
    begun = facts["begun"]() if "begun" in facts else None
    requests = None if begun is None else begun + told.waiting
    if not told.running:
        return Reading(0.0, told.waiting, requests, told.generated, told.prompt, 0.0 if told.cache is None else told.cache)
    slots = [s for s in json.loads(get("/slots")) if s.get("is_processing")]
    new = sum(float(t.get("n_decoded") or 0) for s in slots for t in (s.get("next_token") or ()))
    held = sum(float(s.get("n_prompt_tokens") or 0) for s in slots)
    room = float(facts.get("cache_tokens") or 0)
    return Reading(
        told.running,
        told.waiting,
        requests,
        None if told.generated is None else told.generated + new,
        told.prompt,
        told.cache if told.cache is not None or not room else min(1.0, held / room),
    )


def exposition(**numbers: float | None) -> str:
    """``/metrics`` of a server of ours.

    Parameters
    ----------
    **numbers
        ``requests_running``, ``requests_waiting``, ``requests_total`` and, where the server counts them, ``generation_tokens_total`` and
        ``prompt_tokens_total``.
    """
    rows = [(f"workbench:{name}", "counter" if name.endswith("_total") else "gauge", n) for name, n in numbers.items() if n is not None]
    return "".join(f"# TYPE {name} {kind}\n{name} {n:g}\n" for name, kind, n in rows)
