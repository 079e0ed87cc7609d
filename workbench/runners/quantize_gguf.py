"""Writes a GGUF file with fewer bits a weight: ``quantize_gguf.py SPEC.json``, by ggml itself, out of the `xllamacpp` wheel.

The wheel has ggml's arithmetic and not llama.cpp's program for it, so which weights get how many bits is decided here, as
``llama-quantize`` decides it (``src/llama-quant.cpp``), without its exceptions for single families. Standard library, and xllamacpp.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING or __package__:
    from . import serving
    from .whole_file import begin, whole
else:
    import serving
    from whole_file import begin, whole

_TYPES = "F32=0 F16=1 Q4_0=2 Q4_1=3 Q5_0=6 Q5_1=7 Q8_0=8 Q2_K=10 Q3_K=11 Q4_K=12 Q5_K=13 Q6_K=14 IQ4_NL=20 IQ4_XS=23 BF16=30"
_FILES = "q4_0=2 q4_1=3 q5_0=8 q5_1=9 q2_k=10 q3_k_m=12 q4_k_s=14 q4_k_m=15 q5_k_s=16 q5_k_m=17 q6_k=18 iq4_nl=25 iq4_xs=30"
TYPES, FILE_TYPES = ({k: int(n) for k, n in (pair.split("=") for pair in table.split())} for table in (_TYPES, _FILES))
"""ggml's types of blocks; and what can be asked for, with its number in ``general.file_type``."""
_INSTEAD = {"Q2_K": "IQ4_NL", "Q3_K": "IQ4_NL", "IQ4_XS": "IQ4_NL", "Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}  # for rows that blocks do not fit
_KEPT = re.compile(r"_norm|ffn_gate_inp|ssm_conv1d|time_mix|pos_embd|position_embd|token_types|altup|laurel|shortconv|per_layer_model_proj")
_LAYER = re.compile(r"blk\.(\d+)\.")
_CHUNK = 1 << 23  # weights at a time


class Tensor(NamedTuple):
    """One of a file's tensors: ``start`` is the byte where it begins, a row has ``width`` weights."""

    name: str
    type: int
    width: int
    rows: int
    dims: int
    start: int


class Parameters(ctypes.Structure):
    _fields_ = (("no_alloc", ctypes.c_bool), ("ctx", ctypes.c_void_p))


def main() -> None:
    spec = begin()
    source, target, wanted = Path(spec["source"]), Path(spec["target"]), spec["outtype"]
    with whole(target) as part:
        weights = quantize(library(), source, part, wanted)
    before, after = source.stat().st_size, target.stat().st_size
    source.unlink()
    text = (
        f"Quantized to {wanted.upper()}: {before / 2**20:,.1f} MiB became {after / 2**20:,.1f} MiB, {after * 8 / max(1, weights):.1f} bits a weight."
    )
    serving.report("notice", level="info", text=text)
    serving.report("result", values={"gguf": str(target), "gguf_bytes": after, "bytes_before": before})
    serving.report("exit", code=0)


def library() -> Any:
    """ggml, with the types of what is called."""
    import xllamacpp

    ggml = ctypes.CDLL(str(next(Path(xllamacpp.__file__).parent.glob("xllamacpp*.so"))))
    number, big, pointer, text = ctypes.c_int, ctypes.c_int64, ctypes.c_void_p, ctypes.c_char_p
    signatures: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "gguf_init_from_file": (pointer, (text, Parameters)),
        "gguf_get_n_tensors": (big, (pointer,)),
        "gguf_get_tensor_name": (text, (pointer, big)),
        "gguf_get_tensor_type": (number, (pointer, big)),
        "gguf_get_tensor_offset": (ctypes.c_size_t, (pointer, big)),
        "gguf_get_tensor_ne": (ctypes.POINTER(big), (pointer, big)),
        "gguf_get_data_offset": (ctypes.c_size_t, (pointer,)),
        "gguf_get_alignment": (ctypes.c_size_t, (pointer,)),
        "gguf_set_tensor_type": (None, (pointer, text, number)),
        "gguf_set_val_u32": (None, (pointer, text, ctypes.c_uint32)),
        "gguf_get_meta_size": (ctypes.c_size_t, (pointer,)),
        "gguf_get_meta_data": (None, (pointer, pointer)),
        "ggml_quantize_chunk": (ctypes.c_size_t, (number, pointer, pointer, big, big, big, pointer)),
        "ggml_fp16_to_fp32_row": (None, (pointer, pointer, big)),
        "ggml_bf16_to_fp32_row": (None, (pointer, pointer, big)),
        "ggml_row_size": (ctypes.c_size_t, (number, big)),
        "ggml_blck_size": (big, (number,)),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(ggml, name)
        function.restype, function.argtypes = result, arguments
    return ggml


def quantize(ggml: Any, source: Path, out: Path, wanted: str) -> int:
    """Write the file; the number of its weights."""
    context = ggml.gguf_init_from_file(str(source).encode(), Parameters(True, None))
    if not context:
        raise ValueError(f"{source} is no GGUF file that ggml can read")
    tensors = list(listed(ggml, context))
    kinds = {t.name: TYPES.get(chosen(ggml, t, wanted, tensors), t.type) for t in tensors}
    for name, number in kinds.items():
        ggml.gguf_set_tensor_type(context, name.encode(), number)
    ggml.gguf_set_val_u32(context, b"general.file_type", FILE_TYPES[wanted])
    head = ctypes.create_string_buffer(ggml.gguf_get_meta_size(context))
    ggml.gguf_get_meta_data(context, head)
    aligned = ggml.gguf_get_alignment(context)
    total = sum(t.width * t.rows for t in tensors)
    done = 0
    threads = int(os.environ.get("OMP_NUM_THREADS") or 0) or os.cpu_count() or 1
    with (
        source.open("rb") as f,
        mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as data,
        out.open("wb") as file,
        ThreadPoolExecutor(threads) as pool,
    ):
        file.write(head.raw)
        for tensor in tensors:
            written = 0
            for piece in pool.map(lambda rows, t=tensor: rewritten(ggml, data, t, kinds[t.name], *rows), chunks(tensor)):
                written += file.write(piece)
            file.write(bytes(-written % aligned))
            done += tensor.width * tensor.rows
            serving.report("progress", phase="convert", text=f"Quantizing to {wanted.upper()}", done=done, total=total, unit="weights")
    return total


def listed(ggml: Any, context: Any) -> Iterator[Tensor]:
    """The tensors of a file, in its order."""
    begin = ggml.gguf_get_data_offset(context)
    for i in range(ggml.gguf_get_n_tensors(context)):
        shape = ggml.gguf_get_tensor_ne(context, i)[:4]
        name, kind = ggml.gguf_get_tensor_name(context, i).decode(), ggml.gguf_get_tensor_type(context, i)
        dims = max((n + 1 for n in range(4) if shape[n] > 1), default=1)
        yield Tensor(name, kind, shape[0], shape[1] * shape[2] * shape[3], dims, begin + ggml.gguf_get_tensor_offset(context, i))


def chosen(ggml: Any, tensor: Tensor, wanted: str, tensors: list[Tensor]) -> str:
    """The type of a tensor's blocks; empty for one that stays as it is."""
    plain = tensor.type in (TYPES["F32"], TYPES["F16"], TYPES["BF16"])
    if tensor.dims < 2 or not plain or not tensor.name.endswith("weight") or _KEPT.search(tensor.name):
        return ""
    kind = mixed(tensor.name, wanted, tensors)
    if tensor.width % ggml.ggml_blck_size(TYPES[kind]):
        kind = _INSTEAD.get(kind, kind)
    return kind if tensor.width % ggml.ggml_blck_size(TYPES[kind]) == 0 else "F16"


def mixed(name: str, wanted: str, tensors: list[Tensor]) -> str:
    """More bits for what answers depend on most: the words that come out, values, and the ways down of some layers."""
    base = wanted.upper().removesuffix("_M").removesuffix("_S") if "_K" in wanted.upper() else wanted.upper()
    if name == "output.weight" or (name == "token_embd.weight" and not any(t.name == "output.weight" for t in tensors)):
        return "Q6_K"
    layer = int(found[1]) if (found := _LAYER.search(name)) else 0
    layers = 1 + max((int(m[1]) for t in tensors if (m := _LAYER.search(t.name))), default=0)
    some = layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2
    if "attn_v.weight" in name:
        more = {"q2_k": "Q3_K", "q3_k_m": "Q5_K" if layer < 2 else "Q4_K", "q4_k_s": "Q5_K" if layer < 4 else base}
        return "Q6_K" if wanted in ("q4_k_m", "q5_k_m") and some else more.get(wanted, base)
    if "ffn_down" in name:
        third = "Q5_K" if layer < layers // 16 else "Q4_K" if some else "Q3_K"
        more = {"q2_k": "Q3_K", "q3_k_m": third, "q4_k_s": "Q5_K" if layer < layers // 8 else base}
        return "Q6_K" if wanted in ("q4_k_m", "q5_k_m") and some else more.get(wanted, base)
    if "attn_output" in name:
        return {"q2_k": "Q3_K", "q3_k_m": "Q4_K"}.get(wanted, base)
    return base


def chunks(tensor: Tensor) -> Iterator[tuple[int, int]]:
    """Rows of a tensor, some at a time: the first, and how many."""
    step = max(1, _CHUNK // max(1, tensor.width))
    for first in range(0, tensor.rows, step):
        yield first, min(step, tensor.rows - first)


def rewritten(ggml: Any, data: Any, tensor: Tensor, kind: int, first: int, rows: int) -> bytes:
    """Some rows of a tensor as another type."""
    size, count = ggml.ggml_row_size(tensor.type, tensor.width), rows * tensor.width
    raw: bytes = data[tensor.start + first * size : tensor.start + (first + rows) * size]
    if kind == tensor.type:
        return raw
    numbers: Any = raw
    if tensor.type != TYPES["F32"]:
        numbers = (ctypes.c_float * count)()
        widen = ggml.ggml_fp16_to_fp32_row if tensor.type == TYPES["F16"] else ggml.ggml_bf16_to_fp32_row
        widen(raw, numbers, count)
    out = ctypes.create_string_buffer(rows * ggml.ggml_row_size(kind, tensor.width))
    made = ggml.ggml_quantize_chunk(kind, numbers, out, 0, rows, tensor.width, None)
    return out.raw[:made]


if __name__ == "__main__":
    main()
