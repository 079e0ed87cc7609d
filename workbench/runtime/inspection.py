"""What a model is, from its files' names and headers: nothing is loaded, and a terabyte takes as long as a megabyte.

Formats: https://huggingface.co/docs/safetensors/index#format and https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
(`workbench.runtime.gguf_header`).
"""

from __future__ import annotations

import json
import os
import struct
from collections import Counter
from collections.abc import Iterable, Mapping
from math import prod
from pathlib import Path
from typing import Any

from ..core.models import ModelFormat, ModelMeta
from ..errors import ModelNotFound
from .gguf_header import read_header

_DTYPES = {"BF16": "bfloat16", "F16": "float16", "F32": "float32", "F64": "float64", "I8": "int8", "U8": "uint8", "F8_E4M3": "float8"}
_WEIGHTS = (".safetensors", ".gguf", ".bin", ".pt")
_TYPES = (
    ("rerank", ("ForSequenceClassification",)),
    ("stt", ("Whisper", "SpeechSeq2Seq", "ForCTC", "ASR")),
    ("tts", ("TextToSpeech", "TTS", "Bark", "Vits", "MusicGen")),
    ("vlm", ("VLForConditionalGeneration", "VL", "Vision", "Llava", "ImageTextToText", "InternVL", "Idefics", "Pixtral", "Mllama")),
    ("llm", ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")),
    ("embed", ("Model", "ForMaskedLM")),
)


_DULL = {"model", "merged", "merge", "export", "final", "output", "weights", "lazyllm_merge", "snapshot"}


def display_name(path: str | os.PathLike[str]) -> str:
    """What people call the model at a path: its folder's or file's name, or the folder above where that says nothing."""
    place = Path(path)
    name = place.stem if place.suffix == ".gguf" else place.name
    return place.parent.name if name.lower() in _DULL and place.parent.name else name


def inspect(path: str | os.PathLike[str]) -> ModelMeta:
    """Describe a model folder or a GGUF file.

    Raises
    ------
    ModelNotFound
        When nothing is there, or a GGUF file is damaged.
    """
    place = Path(path)
    if place.is_file():
        return _from_gguf(place)
    if not place.is_dir():
        raise ModelNotFound(f"There is no model at {place}.", "", "Give a model's folder or a GGUF file.")
    return _from_folder(place)


def _from_folder(folder: Path) -> ModelMeta:
    files = [p for p in folder.iterdir() if p.is_file()]
    of_kind = {s: sorted(p for p in files if p.suffix == s) for s in _WEIGHTS}
    config, adapter = _json(folder / "config.json"), _json(folder / "adapter_config.json")
    ggufs = [p for p in of_kind[".gguf"] if not p.name.startswith("mmproj")]
    kind: ModelFormat = ""
    if config and of_kind[".safetensors"]:
        kind = "safetensors"
    elif config and (of_kind[".bin"] or of_kind[".pt"]):
        kind = "pytorch"
    elif ggufs:
        return _from_gguf(ggufs[0], folder)
    parameters, dtype = _safetensors(of_kind[".safetensors"])
    text = config.get("text_config") if isinstance(config.get("text_config"), dict) else {}
    merged = {**config, **(text or {})}
    architecture = str(next(iter(config.get("architectures") or ()), ""))
    tokenizer = _json(folder / "tokenizer_config.json")
    return ModelMeta(
        path=str(folder),
        name=display_name(folder),
        format=kind,
        architecture=architecture,
        type="sd" if (folder / "model_index.json").exists() else _type(architecture, config, folder),
        parameters=parameters,
        size_bytes=sum(p.stat().st_size for p in of_kind[".safetensors"] or of_kind[".bin"] or of_kind[".pt"]),
        dtype=dtype or str(merged.get("dtype") or merged.get("torch_dtype") or ""),
        context_length=_int(merged, "max_position_embeddings", "n_positions", "seq_length", "max_sequence_length"),
        has_chat_template=(folder / "chat_template.jinja").exists() or bool(tokenizer.get("chat_template")),
        vocabulary=_int(merged, "vocab_size"),
        gguf=str(ggufs[0]) if ggufs else "",
        adapter_of=str(adapter.get("base_model_name_or_path") or ""),
        details=_details(merged, config),
    )


def _from_gguf(file: Path, folder: Path | None = None) -> ModelMeta:
    header = read_header(file)
    of = header.values
    architecture = str(of.get("general.architecture", ""))
    parts = sorted((folder or file.parent).glob(file.name.replace("-00001-of-", "-*-of-"))) if "-00001-of-" in file.name else [file]
    tokens = of.get("tokenizer.ggml.tokens")
    pooled = int(of.get(f"{architecture}.pooling_type") or 0)
    kind = "rerank" if pooled == 4 else "embed" if pooled or architecture in ("bert", "nomic-bert", "jina-bert-v2") else "llm"
    details = {
        "layers": of.get(f"{architecture}.block_count"),
        "hidden_size": of.get(f"{architecture}.embedding_length"),
        "attention_heads": of.get(f"{architecture}.attention.head_count"),
    }
    return ModelMeta(
        path=str(folder or file),
        name=display_name(folder or file),
        format="gguf",
        architecture=architecture,
        type=kind,
        parameters=header.parameters,
        size_bytes=sum(p.stat().st_size for p in parts),
        dtype=header.dtype,
        context_length=int(of.get(f"{architecture}.context_length") or 0),
        has_chat_template=bool(of.get("tokenizer.chat_template")),
        vocabulary=int(tokens or of.get(f"{architecture}.vocab_size") or 0),
        gguf=str(file),
        details={k: v for k, v in details.items() if v is not None},
    )


def _safetensors(files: Iterable[Path]) -> tuple[int, str]:
    """How many weights, and the type of most of them."""
    counts: Counter[str] = Counter()
    for file in files:
        try:
            with file.open("rb") as f:
                size = struct.unpack("<Q", f.read(8))[0]
                if size > 100 << 20:
                    continue  # no header is that long: not a safetensors file
                header = json.loads(f.read(size))
        except (OSError, ValueError, struct.error):
            continue
        for name, tensor in header.items():
            if name != "__metadata__":
                counts[tensor["dtype"]] += prod(tensor["shape"])
    most = max(counts, key=lambda k: counts[k], default="")
    return counts.total(), _DTYPES.get(most, most)


def _type(architecture: str, config: Mapping[str, Any], folder: Path) -> str:
    if (folder / "modules.json").exists():
        return "embed"  # sentence-transformers' mark
    if "vision_config" in config and "audio_config" not in config:
        return "vlm"
    return next((kind for kind, signs in _TYPES if any(s in architecture for s in signs)), "llm")


def _details(merged: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    names = {"layers": "num_hidden_layers", "hidden_size": "hidden_size", "attention_heads": "num_attention_heads", "model_type": "model_type"}
    out = {ours: merged[theirs] for ours, theirs in names.items() if merged.get(theirs) is not None}
    quantization = config.get("quantization_config")
    if isinstance(quantization, dict):
        out["quantization"] = quantization.get("quant_method", "")
    return out


def _int(d: Mapping[str, Any], *names: str) -> int:
    return next((int(d[n]) for n in names if isinstance(d.get(n), int)), 0)


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
