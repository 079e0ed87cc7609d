"""llama.cpp's server: any GGUF, and what llama.cpp's converter can make one of. The engine where there is no GPU.

Plans the processes; `workbench/runners/serve_llama_cpp.py` and ``convert_gguf.py`` are what runs in them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..core.jobs import Failure
from ..core.protocols import JobPlace, Stage
from ..core.specs import DeploySpec
from ..errors import ArgumentError
from . import (
    default_parameters,
    gguf_cache,
    llama_cpp_adapters,
    llama_cpp_conversion,
    llama_cpp_eyes,
    llama_cpp_settle,
    llama_cpp_values,
    model_files,
)
from .common import disk_is_full, explain_end, runner, served_name, spec_file
from .engine import Engine
from .gguf_files import find_gguf, models_in, quantization_of
from .llama_cpp_arguments import ALIASES, ARGUMENTS, CHOICES, ELSEWHERE, OUTTYPES, QUANTIZED, SLOTS, defaults_of
from .llama_cpp_ends import explained
from .llama_cpp_pooling import POOLED, check_pooling, pooled

WHERE = "deploy.llama_cpp"
VECTORS_OUTTYPE = "f16"
HALF = "f16"
_BEFORE = {
    "convert": ("The conversion to GGUF", "Serve the model as it is: deploy_method(workbench.deploy.transformers)."),
    "quantize": ("The quantization", "Leave quantization= out: the model is then served with 8 bits."),
    "adapters": ("The conversion of an adapter", "Serve with wb.deploy.vllm, or merge the adapter into its base model."),
}
"""Stages before the server's own: what they are called, and what to do where one fails."""


class LlamaCpp(Engine):
    """Serves a GGUF file, a folder that holds one, or a safetensors folder after a conversion that is kept."""

    name, title, environment = "llama_cpp", "llama.cpp", "llama_cpp"
    types = ("llm", "vlm", "embed", "rerank")
    aliases = ALIASES

    @classmethod
    def arguments(cls) -> list[str]:
        """The names it knows: those of llama.cpp's parameters, ``gguf`` and ``outtype``."""
        return sorted({*ARGUMENTS, *CHOICES})

    @classmethod
    def known(cls) -> set[str]:
        """Every name that `settle` takes."""
        return {*super().known(), *llama_cpp_settle.KNOWN}

    @classmethod
    def unknown(cls, name: str, known: Collection[str]) -> ArgumentError:
        """The error for a name that it does not take: the nearest one, or what to do instead."""
        if instead := ELSEWHERE.get(name.strip("-").replace("-", "_")):
            return ArgumentError(f"{WHERE} does not take {name!r}.", "", instead)
        return super().unknown(name, known)

    @classmethod
    def settle(cls, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Under one name each, with values in llama.cpp's words. ``max_model_len``, vLLM's length of one conversation, becomes the ``n_ctx`` that all
        share.
        """
        plain = {k.strip("-").replace("-", "_"): k for k in arguments}
        rest = llama_cpp_settle.plainly({k: v for k, v in arguments.items() if k != plain.get("max_model_len")})
        if llama_cpp_settle.file_is_meant(str(arguments.get(plain.get("quantization", ""), ""))):
            rest["gguf"] = rest.pop(plain["quantization"])
        out = llama_cpp_settle.valued(super().settle(rest))
        shared = llama_cpp_settle.length(arguments, out)
        return out if shared is None else {**out, "n_ctx": shared}

    def checked(self, payload: Mapping[str, Any]) -> DeploySpec:
        """The spec with settled arguments. Refuses models that llama.cpp cannot serve."""
        spec = super().checked(payload)
        default_parameters.checked(self.name, spec.defaults)
        if (outtype := str(spec.arguments.get("outtype", OUTTYPES[0]))) not in (*OUTTYPES, *QUANTIZED):
            fix = f"Choose one of: {', '.join((*OUTTYPES, *QUANTIZED))}; or serve somebody's GGUF file in that quantization."
            raise ArgumentError(f"{WHERE} cannot convert to {outtype!r}.", "", fix)
        llama_cpp_adapters.check(spec)
        if self._gguf(spec) is None:
            gguf_cache.check_convertible(Path(spec.model))
        llama_cpp_eyes.check(spec)
        _check_draft(spec)
        check_pooling(spec)
        return spec

    def _gguf(self, spec: DeploySpec) -> Path | None:
        """The file to load; None where one has to be converted, also because those that are there have another quantization than was asked for."""
        path, wanted, outtype = Path(spec.model), str(spec.arguments.get("gguf") or ""), str(spec.arguments.get("outtype") or "")
        if not wanted and outtype and path.is_dir() and (there := models_in(path)):
            same = [p for p in there if quantization_of(p).lower() == outtype]
            if same or any(path.glob("*.safetensors")):
                return same[0] if same else None
            wanted = outtype
        return find_gguf(path, wanted)

    def advice(self, payload: Mapping[str, Any]) -> str:
        """llama.cpp cuts a conversation's share of ``n_ctx`` down to what the model was made for, after it has taken the memory."""
        spec = DeploySpec.from_json(payload)
        given, folder = spec.arguments, Path(spec.model)
        own = model_files.context_length(model_files.config(folder if folder.is_dir() else folder.parent))
        asked, slots = given.get("n_ctx"), max(1, int(given.get("n_parallel") or SLOTS))
        if not own or not isinstance(asked, int) or asked <= own * slots or any(name.startswith(("rope_", "yarn_")) for name in given):
            return ""
        each = f" for {slots} conversations at once" if slots > 1 else ""
        return f"n_ctx={asked} is more than can be used: the model was made for {own:,} tokens. n_ctx={own * slots} does the same{each}."

    def plan(self, payload: Mapping[str, Any], place: JobPlace) -> Sequence[Stage]:
        """Convert where nothing converted is kept, then serve."""
        spec = DeploySpec.from_json(payload)
        spec = replace(spec, arguments=self.settle(spec.arguments))
        stages: list[Stage] = []
        gguf = self._gguf(spec)
        source, outtype, wanted = Path(spec.model), _outtype(spec), {}
        if gguf is None:
            gguf = gguf_cache.target(source, outtype)
            wanted = {"target": gguf_cache.unquantized(source, outtype) if outtype in QUANTIZED and not gguf.exists() else gguf}
        if eyes := llama_cpp_eyes.to_convert(spec):
            wanted["eyes"] = eyes
        if wanted := {what: file for what, file in wanted.items() if not file.exists()}:
            gguf_cache.forget_stale()
            stages.append(llama_cpp_conversion.stage(source, HALF if outtype in QUANTIZED else outtype, wanted))
        if outtype in QUANTIZED and not gguf.exists():
            stages.append(llama_cpp_conversion.quantization(gguf_cache.unquantized(source, outtype), gguf, outtype, self.environment))
        if text := llama_cpp_adapters.conversion(spec.adapters, source):
            stages.append(llama_cpp_adapters.stage(text))
        stages.append(self._serve(spec, gguf, place))
        return stages

    def _serve(self, spec: DeploySpec, gguf: Path, place: JobPlace) -> Stage:
        parent = Path(spec.model) if Path(spec.model).is_dir() else Path(spec.model).parent
        named = {n: [spec.adapters[n], str(file)] for n, file in llama_cpp_adapters.files(spec.adapters, Path(spec.model)).items()}
        text = spec_file(
            replace(spec, model=str(gguf), served_name=served_name(spec)),
            context_length=model_files.context_length(model_files.config(parent)),
            parameters=llama_cpp_values.placed(_chosen(spec)),
            chat_template=spec.chat_template,
            ttl=spec.ttl,
            pooled=spec.type in POOLED,
            log=str(place.log),
            adapters=named if llama_cpp_adapters.takes(spec) else None,
        )
        argv = (runner("serve_llama_cpp"), "../serve.json")
        return Stage("serve", "Starting llama.cpp", self.environment, argv, files={"serve.json": text}, serves=True, stop_grace=5.0)

    def command(self, payload: Mapping[str, Any]) -> list[str]:
        """The line of llama.cpp's own ``llama-server`` that does the same."""
        spec = self.checked(payload)
        gguf = self._gguf(spec) or gguf_cache.target(Path(spec.model), _outtype(spec))
        line = ["llama-server", "--model", str(gguf), "--alias", served_name(spec), "--port", "{port}", "--api-key", "{key}", "--jinja"]
        if spec.chat_template:
            line += ["--chat-template-file", spec.chat_template]
        for file in llama_cpp_adapters.files(spec.adapters, Path(spec.model)).values():
            line += ["--lora-scaled", f"{file}:0"]  # a request gives it its strength
        return line + llama_cpp_values.flags({"n_parallel": SLOTS, **_chosen(spec)})

    def explain(self, stage: str, exit_code: int | None, log_tail: str) -> Failure:
        """What went wrong, and what to do."""
        if stage not in _BEFORE:
            return explained(log_tail) or explain_end("llama.cpp", exit_code, log_tail)
        what, instead = _BEFORE[stage]
        if full := disk_is_full(what, log_tail):
            return full
        found = explain_end(what, exit_code, log_tail)
        return found if found.fix.startswith("Fetch or copy") else replace(found, fix=instead)  # no engine reads files that are missing or damaged


def _chosen(spec: DeploySpec) -> dict[str, Any]:
    """The server's arguments: the model's own sampling, then the deployment's defaults, then what the user named."""
    parent = Path(spec.model) if Path(spec.model).is_dir() else Path(spec.model).parent
    given = {k: v for k, v in spec.arguments.items() if k in ARGUMENTS and not (k == "chat_template" and spec.chat_template)}
    found = defaults_of(model_files.read_json(parent / "generation_config.json"))
    found |= default_parameters.for_llama_cpp(default_parameters.checked(LlamaCpp.name, spec.defaults))
    found |= pooled(spec)
    if draft := given.get("spec_draft_model"):
        given = {"spec_type": "draft-simple", **given, "spec_draft_model": str(llama_cpp_values.file_of(draft, parent))}
    eyes = llama_cpp_eyes.of(spec)
    return {**found, **given, **({"mmproj": eyes} if eyes else {})}


def _outtype(spec: DeploySpec) -> str:
    """What a conversion writes: vectors keep the precision that they were trained with."""
    return str(spec.arguments.get("outtype") or (VECTORS_OUTTYPE if spec.type in POOLED else OUTTYPES[0]))


def _check_draft(spec: DeploySpec) -> None:
    draft = _chosen(spec).get("spec_draft_model")
    if draft and not (draft.endswith(".gguf") and Path(draft).is_file()):
        fix = "Give the path of a small GGUF model with the same vocabulary."
        raise ArgumentError(f"There is no draft model {draft}.", "A draft is a GGUF file.", fix)
