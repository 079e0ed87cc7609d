"""What a model is, from its files' names and headers: nothing is loaded, and a terabyte takes as long as a megabyte. Of which type it is,
`workbench.runtime.inspecting.model_type` weighs.

Formats: https://huggingface.co/docs/safetensors/index#format and https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
(`workbench.core.gguf_header`).
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

from ...core.gguf_header import read_header
from ...core.models import ModelFormat, ModelMeta
from ...errors import ModelNotFound
from .model_evidence import gather, mapping, read
from .model_type import Evidence, of_gguf, told
from .type_signs import FILES

_DTYPES = {"BF16": "bfloat16", "F16": "float16", "F32": "float32", "F64": "float64", "I8": "int8", "U8": "uint8", "F8_E4M3": "float8"}
_WEIGHTS = (".safetensors", ".gguf", ".bin", ".pt")
_TEMPLATES = ("chat_template.jinja", "chat_template.json", "tokenizer_config.json", "processor_config.json")  # in which transformers looks
_COUNT_LATE = {"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert"}
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
    evidence = gather(folder, display_name(folder), files)
    config, adapter = evidence.config, mapping(folder / "adapter_config.json")
    in_parts = evidence.modules is not None and not any(p.suffix in _WEIGHTS for p in files)  # older models of sentence-transformers
    weights = _weights(folder, files, bool(evidence.index) or in_parts)
    ggufs = [p for p in weights[".gguf"] if not p.name.startswith("mmproj")]
    found = told(evidence)
    described = bool(config or evidence.index or in_parts or found.by in FILES)
    kind: ModelFormat = ""
    if described and weights[".safetensors"]:
        kind = "safetensors"
    elif described and (weights[".bin"] or weights[".pt"]):
        kind = "pytorch"
    elif ggufs and not adapter:
        return _from_gguf(ggufs[0], folder, evidence)
    parameters, dtype = _safetensors(weights[".safetensors"])
    merged = _text(config)
    template = _template(folder)
    return ModelMeta(
        path=str(folder),
        name=evidence.name,
        format=kind,
        architecture=evidence.architecture or str(evidence.index.get("_class_name") or ""),
        type=found.type,
        parameters=parameters,
        size_bytes=sum(p.stat().st_size for p in weights[".safetensors"] or weights[".bin"] or weights[".pt"]),
        dtype=dtype or str(merged.get("dtype") or merged.get("torch_dtype") or ""),
        context_length=_int(evidence.transformer, "max_seq_length") or _context(merged),
        has_chat_template=bool(template),
        vocabulary=_int(merged, "vocab_size"),
        gguf=str(ggufs[0]) if ggufs else "",
        adapter_of=str(adapter.get("base_model_name_or_path") or ""),
        details={**_details(merged, config), **_of_adapter(adapter), **_of_vectors(folder, evidence, merged)},
        told_by=found.by,
        also=found.also,
        takes=found.takes,
        chat_template=template,
        quantization=_quantization(config),
    )


def _weights(folder: Path, files: list[Path], parts: bool) -> dict[str, list[Path]]:
    """The files with weights by their endings; of a pipeline those in the folders of its parts, each part in one form and precision."""
    if not parts:
        return {s: sorted(p for p in files if p.suffix == s) for s in _WEIGHTS}
    found: dict[str, list[Path]] = {s: [] for s in _WEIGHTS}
    for part in sorted(p for p in folder.iterdir() if p.is_dir()):
        inside = sorted(part.iterdir())
        for suffix in (".safetensors", ".bin"):
            of_kind = [p for p in inside if p.suffix == suffix]
            if whole := [p for p in of_kind if ".fp16." not in p.name and ".non_ema" not in p.name] or of_kind:
                found[suffix] += whole
                break
    return found


def _from_gguf(file: Path, folder: Path | None = None, evidence: Evidence | None = None) -> ModelMeta:
    header = read_header(file)
    of = header.values
    architecture = str(of.get("general.architecture", ""))
    parts = sorted((folder or file.parent).glob(file.name.replace("-00001-of-", "-*-of-"))) if "-00001-of-" in file.name else [file]
    tokens = of.get("tokenizer.ggml.tokens")
    name = display_name(folder or file)
    sees = any(file.parent.glob("mmproj*.gguf"))
    found = of_gguf(architecture, int(of.get(f"{architecture}.pooling_type") or 0), f"{name} {of.get('general.name', '')}", sees)
    details = {
        "layers": of.get(f"{architecture}.block_count"),
        "hidden_size": of.get(f"{architecture}.embedding_length"),
        "attention_heads": of.get(f"{architecture}.attention.head_count"),
    }
    template = bool(of.get("tokenizer.chat_template"))
    return ModelMeta(
        path=str(folder or file),
        name=name,
        format="gguf",
        architecture=architecture,
        type=found.type,
        parameters=header.parameters,
        size_bytes=sum(p.stat().st_size for p in parts),
        dtype=header.dtype,
        context_length=int(of.get(f"{architecture}.context_length") or 0),
        has_chat_template=template,
        vocabulary=int(tokens or of.get(f"{architecture}.vocab_size") or 0),
        gguf=str(file),
        adapter_of=str(of.get("adapter.base_model") or of.get("general.base_model.0.name") or "base") if of.get("general.type") == "adapter" else "",
        details={k: v for k, v in details.items() if v is not None},
        told_by=found.by,
        also=found.also,
        takes=found.takes,
        chat_template="the GGUF file" if template else "",
        quantization="" if header.dtype in ("F32", "F16", "BF16") else header.dtype,
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


def _text(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration with that of its part for texts spread over it."""
    for name in ("text_config", "llm_config", "language_config"):
        if isinstance(inner := config.get(name), dict):
            return {**config, **inner}
    thinker = config.get("thinker_config")
    return _text(thinker) if isinstance(thinker, dict) else dict(config)


def _details(merged: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    names = {
        "layers": "num_hidden_layers",
        "hidden_size": "hidden_size",
        "attention_heads": "num_attention_heads",
        "kv_heads": "num_key_value_heads",
        "model_type": "model_type",
    }
    out = {ours: merged[theirs] for ours, theirs in names.items() if merged.get(theirs) is not None}
    if config.get("model_type"):
        out["model_type"] = config["model_type"]
    quantization = config.get("quantization_config") or config.get("compression_config")
    if isinstance(quantization, dict):
        out["quantization"] = quantization.get("quant_method", "")
    return out


def _of_adapter(adapter: Mapping[str, Any]) -> dict[str, Any]:
    names = {"adapter": "peft_type", "rank": "r", "alpha": "lora_alpha", "targets": "target_modules"}
    return {ours: adapter[theirs] for ours, theirs in names.items() if adapter.get(theirs) is not None}


def _of_vectors(folder: Path, evidence: Evidence, merged: Mapping[str, Any]) -> dict[str, Any]:
    """Of a model that makes vectors: how long they are, how they are pooled, and whether they are sparse."""
    if evidence.modules is None:
        return {}
    sparse = evidence.sentence.get("model_type") == "SparseEncoder" or any("sparse_encoder" in m for m in evidence.modules)
    pooling = mapping(folder / "1_Pooling" / "config.json")
    size = _last_dense(folder) or _int(pooling, "word_embedding_dimension", "embedding_dimension")
    modes = [k.removeprefix("pooling_mode_").removesuffix("_tokens") for k, v in pooling.items() if k.startswith("pooling_mode_") and v is True]
    found = {
        "dimensions": _int(merged, "vocab_size") if sparse else size or _int(merged, "hidden_size"),
        "pooling": str(pooling.get("pooling_mode") or " and ".join(modes)),
        "sparse": sparse,
    }
    return {k: v for k, v in found.items() if v}


def _last_dense(folder: Path) -> int:
    """How long the vectors are that the last of a model's dense layers makes; 0 where it has none."""
    parts = read(folder / "modules.json")
    dense = [str(p.get("path") or "") for p in parts if isinstance(p, dict) and str(p.get("type") or "").endswith("Dense")]
    return next((n for place in reversed(dense) if (n := _int(mapping(folder / place / "config.json"), "out_features"))), 0)


def _context(merged: Mapping[str, Any]) -> int:
    """Tokens that a model has positions for. Those of RoBERTa's kind begin to count behind the number of the token that fills up."""
    found = _int(merged, "max_position_embeddings", "n_positions", "seq_length", "max_sequence_length")
    counts_late = str(merged.get("model_type") or "") in _COUNT_LATE and found > 2
    return found - 1 - _int({"pad_token_id": 1, **merged}, "pad_token_id") if counts_late else found


def _quantization(config: Mapping[str, Any]) -> str:
    given = config.get("quantization_config") or config.get("compression_config")
    if not isinstance(given, dict):
        return ""
    method = str(given.get("quant_method") or given.get("quant_type") or "quantized")
    bits = _int(given, "bits", "w_bit", "num_bits")
    if not bits and method == "bitsandbytes":
        bits = 4 if given.get("load_in_4bit") or given.get("_load_in_4bit") else 8
    if bits:
        return f"{method} {bits} bit"
    return f"{method} {form}" if (form := _numbers(method, given)) else method


def _numbers(method: str, given: Mapping[str, Any]) -> str:
    """What the numbers are and how far one scale reaches: engines differ in what they compute with.

    Sources: transformers' ``FineGrainedFP8Config`` and vLLM's ``Fp8Config`` for ``fp8``; the package compressed-tensors for its groups.
    """
    if method == "fp8":
        return "in blocks" if given.get("weight_block_size") else f"per tensor, {given.get('activation_scheme') or 'static'}"
    groups = given.get("config_groups")
    group = next(iter(groups.values()), None) if isinstance(groups, dict) else None
    weights = group.get("weights") if isinstance(group, dict) else None
    if not isinstance(group, dict) or not isinstance(weights, dict):
        return ""
    bits, inputs = _int(weights, "num_bits"), group.get("input_activations")
    if weights.get("type") != "float" or bits != 8:
        kind = "" if weights.get("type") != "float" else "float "
        return f"{kind}{bits} bit" if bits else ""
    reach = {"block": "in blocks", "tensor": "per tensor", "channel": "per channel"}.get(str(weights.get("strategy")), "")
    how = ("dynamic" if inputs.get("dynamic") else "static") if isinstance(inputs, dict) else "weights only"
    return ", ".join(filter(None, (f"fp8 {reach}".rstrip(), how)))


def _template(folder: Path) -> str:
    """The file that holds the chat template; empty where none does."""
    for name in _TEMPLATES:
        path = folder / name
        if path.is_file() and (path.suffix == ".jinja" or mapping(path).get("chat_template")):
            return name
    return (
        "chat_templates/" if any((folder / "chat_templates").glob("*.jinja")) or any((folder / "additional_chat_templates").glob("*.jinja")) else ""
    )


def _int(d: Mapping[str, Any], *names: str) -> int:
    return next((int(d[n]) for n in names if isinstance(d.get(n), int)), 0)
