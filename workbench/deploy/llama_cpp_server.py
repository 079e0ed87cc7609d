"""llama.cpp's server: any GGUF, and what llama.cpp's converter can make one of. The engine where there is no GPU.

Plans the processes; `workbench/runners/serve_llama_cpp.py` and ``convert_gguf.py`` are what runs in them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..core.jobs import Failure
from ..core.protocols import JobPlace, Stage
from ..core.specs import DeploySpec
from ..errors import ArgumentError
from . import gguf_cache
from .common import check_spec, explain_end, runner, served_name, spec_file
from .gguf_files import find_gguf
from .llama_cpp_arguments import CONVERSION, OUTTYPES, PLACES, defaults_of

WHERE = "deploy.llama_cpp"


class LlamaCpp:
    """Serves a GGUF file, a folder that holds one, or a safetensors folder after a conversion that is kept."""

    name = "llama_cpp"
    environment = "llama_cpp"

    @staticmethod
    def arguments() -> list[str]:
        """The names it knows."""
        return sorted({*PLACES, *CONVERSION})

    def check(self, payload: Mapping[str, Any]) -> None:
        """Refuse unknown arguments, and models that llama.cpp cannot serve."""
        spec = check_spec(WHERE, payload, self.arguments(), ("llm", "vlm"))
        outtype = spec.arguments.get("outtype", OUTTYPES[0])
        if outtype not in OUTTYPES:
            raise ArgumentError(f"{WHERE} cannot convert to {outtype!r}.", "", f"Choose one of: {', '.join(OUTTYPES)}.")
        if find_gguf(Path(spec.model)) is None:
            gguf_cache.check_convertible(Path(spec.model))

    def plan(self, payload: Mapping[str, Any], place: JobPlace) -> Sequence[Stage]:
        """Convert where nothing converted is kept, then serve."""
        spec = DeploySpec.from_json(payload)
        source = Path(spec.model)
        gguf = find_gguf(source)
        stages: list[Stage] = []
        if gguf is None:
            outtype = str(spec.arguments.get("outtype", OUTTYPES[0]))
            gguf = gguf_cache.target(source, outtype)
            if not gguf.exists():
                gguf_cache.forget_stale()
                stages.append(_convert(source, gguf, outtype))
        stages.append(self._serve(spec, gguf))
        return stages

    def _serve(self, spec: DeploySpec, gguf: Path) -> Stage:
        parent = Path(spec.model) if Path(spec.model).is_dir() else Path(spec.model).parent
        given = {k: v for k, v in spec.arguments.items() if k in PLACES}
        chosen = {**defaults_of(_json(parent / "generation_config.json")), **given}
        text = spec_file(
            replace(spec, model=str(gguf), served_name=served_name(spec)),
            context_length=_json(parent / "config.json").get("max_position_embeddings") or 0,
            parameters={PLACES[k]: v for k, v in chosen.items()},
        )
        return Stage(
            "serve",
            "Starting llama.cpp",
            self.environment,
            (runner("serve_llama_cpp"), "../serve.json"),
            files={"serve.json": text},
            serves=True,
            stop_grace=5.0,
        )

    def result(self, payload: Mapping[str, Any], place: JobPlace) -> Mapping[str, Any]:
        """A deployment leaves nothing behind."""
        return {}

    def explain(self, stage: str, exit_code: int | None, log_tail: str) -> Failure:
        """What went wrong, and what to do."""
        if stage == "convert":
            found = explain_end("The conversion to GGUF", exit_code, log_tail)
            return replace(found, fix="Serve the model as it is: deploy_method(workbench.deploy.transformers).")
        if "couldn't bind" in log_tail:
            return Failure("The port was taken in the moment of the start.", "start() tries again with another one.", log_tail)
        return explain_end("llama.cpp", exit_code, log_tail)


def _convert(source: Path, target: Path, outtype: str) -> Stage:
    spec = {"model": str(source), "target": str(target), "outtype": outtype}
    return Stage(
        "convert",
        "Converting to GGUF",
        "gguf",
        (runner("convert_gguf"), "../convert.json"),
        files={"convert.json": json.dumps(spec, ensure_ascii=False, indent=1)},
        stop_grace=5.0,
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
