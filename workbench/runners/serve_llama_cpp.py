"""Serves a GGUF file with llama.cpp's own server, out of the `xllamacpp` wheel: ``serve_llama_cpp.py SPEC.json``.

Runs in an interpreter that has xllamacpp, which may be the user's own, but always in a process of its own. The spec names
the model, the arguments under llama.cpp's names and the port; the key comes from the job's key file.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import loading_size, serving
    from .counted_lines import CountedLines
    from .llama_cpp_door import Adapters, Door
else:
    import loading_size
    import serving
    from counted_lines import CountedLines
    from llama_cpp_door import Door

SLOTS, CONTEXT, TOTAL_CONTEXT = 4, 8192, 16384
PROMPT_CACHE_MB = 256
OPTIONS: dict[str, Any] = {
    "engine": "llama_cpp",
    "tokens": "llama_cpp",
    "constraints": "llama_cpp",
    "nest": {"enable_thinking": "chat_template_kwargs"},
}
BEGUN = rb"launch_slot_: id +\d+ \| task \d+ \| processing task, is_child = 0"  # once for each request, and for each text of one for vectors
TELLS_REQUESTS = 3  # the verbosity from which the log has these lines
POOLED_INPUTS = 64  # of a request, where vectors are made


def main() -> None:
    with open(sys.argv[1]) as f:
        spec = json.load(f)
    sys.path.pop(0)  # this folder's modules are not for the engine
    serving.begin()
    serving.report("progress", phase="load", text=f"Loading {os.path.basename(spec['model'])}")
    try:
        import xllamacpp
    except ImportError as e:
        serving.fail(f"This interpreter ({sys.executable}) has no xllamacpp: {e}", "ImportError")
    with_door = spec.get("adapters") is not None
    wanted = int(spec.get("port") or 0)
    port = serving.port(wanted) if wanted or serving.port_before() else 0  # the server takes a free one itself
    params = parameters(xllamacpp, spec, 0 if with_door else port)
    begun = CountedLines(spec.get("log") or "", BEGUN)
    try:
        with loading_size.telling(spec["model"]):
            if with_door:
                door = behind_door(xllamacpp, params, {k: tuple(v) for k, v in spec["adapters"].items()})
                address = door.listen(port)
            else:
                server = xllamacpp.Server(params)
                address = server.listening_address
    except Exception as e:
        serving.fail(f"llama.cpp could not load {spec['model']}: {e}", type(e).__name__)
    url = f"{address}/v1"
    options: dict[str, Any] = {**OPTIONS, **({"adapters": "gguf"} if with_door else {})}
    if spec.get("pooled"):
        options |= {"batch_size": POOLED_INPUTS, "pooling": spec["parameters"].get("pooling_type", "")}
    serving.report("ready", url=url, model=spec["served_name"], options=options)
    print(f"Serving {spec['served_name']} at {url}", flush=True)
    facts = {"begun": begun.now} if spec.get("log") and params.verbosity >= TELLS_REQUESTS else {}
    serving.watch(url, serving.key(), "llama_cpp", float(spec.get("ttl") or 0), cache_tokens=params.n_ctx, **facts)
    serving.wait_for_end()


def behind_door(xllamacpp: Any, params: Any, adapters: Adapters) -> Door:
    """A server whose callers choose LoRA adapters by name, beside those that every answer has."""
    always = list(params.lora_adapters)

    def start(named: Adapters) -> Any:
        params.lora_adapters = [*always, *(adapter(xllamacpp, file, 0.0) for _, file in named.values())]
        return xllamacpp.Server(params)

    params.cache_ram_mib = 0  # what one adapter has read is not what another would have
    return Door(start, serving.key(), params.n_parallel, [one.scale for one in always], adapters, set(params.model_alias))


def parameters(xllamacpp: Any, spec: dict[str, Any], port: int) -> Any:
    """llama.cpp's parameters: what fits a notebook, then the user's arguments."""
    p = xllamacpp.CommonParams()
    key = serving.key()
    if not key:
        serving.fail("There is no key to guard the server with.")
    p.model.path = spec["model"]
    p.model_alias = {spec["served_name"]}
    p.hostnames, p.port = ["127.0.0.1"], port
    p.api_keys = [key]
    p.use_jinja, p.endpoint_metrics, p.endpoint_slots, p.ui = True, True, True, False
    p.n_parallel, p.cache_ram_mib = SLOTS, PROMPT_CACHE_MB
    given = dict(spec.get("parameters") or {})
    if "n_ctx" not in given:
        context, slots = int(spec.get("context_length") or 0) or CONTEXT, int(given.get("n_parallel", SLOTS))
        p.n_ctx = min(context * slots, TOTAL_CONTEXT)
        p.kv_unified = context * slots > TOTAL_CONTEXT  # where not every slot can have all, each may take what is free
    threads = int(os.environ.get("OMP_NUM_THREADS") or 0)
    if threads:
        p.cpuparams.n_threads = p.speculative.draft.cpuparams.n_threads = threads
    if spec.get("chat_template"):
        with open(spec["chat_template"], encoding="utf-8") as f:
            p.chat_template = f.read()
    if "lora_adapters" in given:
        p.lora_adapters = [adapter(xllamacpp, path, scale) for path, scale in given.pop("lora_adapters")]
    chosen = getattr(getattr(xllamacpp, "common_params_sampling_config", None), "__members__", {})
    for place, value in given.items():
        *groups, name = place.split(".")
        target = p
        for group in groups:
            target = getattr(target, group)
        try:
            setattr(target, name, fitting(value, getattr(target, name)))
        except (TypeError, ValueError, OverflowError, AttributeError, AssertionError) as e:
            serving.fail(f"llama.cpp does not take {name}={value!r}: {e}", "ArgumentError")
        if groups == ["sampling"] and (bit := chosen.get(f"COMMON_PARAMS_SAMPLING_CONFIG_{name.upper()}")):
            p.sampling.user_sampling_config |= int(bit)  # else what the file says of sampling stands above it
    return p


def adapter(xllamacpp: Any, path: Any, scale: float) -> Any:
    """A LoRA adapter, and how strongly it counts."""
    found = xllamacpp.CommonAdapterLoraInfo()
    found.path, found.scale = str(path), float(scale)
    return found


def fitting(value: Any, old: Any) -> Any:
    """A JSON value as the type of the old one: enumerations by the end of a name, such as ``q8_0`` for a cache's type."""
    members = getattr(type(old), "__members__", None)
    if members and isinstance(value, str):
        known = {name.lower(): member for name, member in members.items()}
        found = sorted((name for name in known if name == value.lower() or name.endswith("_" + value.lower())), key=len)
        if not found:
            raise ValueError(f"it knows {', '.join(sorted(known))}")
        return known[found[0]]
    if isinstance(old, list) and old and hasattr(type(old[0]), "__members__"):
        return [fitting(one, old[0]) for one in value]
    if isinstance(value, dict):
        return {str(k): json.dumps(v) for k, v in value.items()}
    if isinstance(old, str) and not isinstance(value, str):
        return json.dumps(value) if isinstance(value, list) else str(value)
    return set(value) if isinstance(old, set) else value


if __name__ == "__main__":
    main()
