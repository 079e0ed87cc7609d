"""Why llama.cpp did not come up, from what it writes into its log. The sentences are those of its 2026 versions."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..core.jobs import Failure

_UPDATE = "Bring llama.cpp up to date: pip install -U xllamacpp. Or serve the model with wb.deploy.transformers."


@dataclass(frozen=True, slots=True)
class _Sign:
    """A pattern of the log, and what it means; ``{0}``, ``{1}`` … are its groups."""

    pattern: str
    cause: str
    fix: str


_SIGNS = (
    _Sign(
        r"tensor '([^']+)' data is not within the file bounds|failed to read (?:key-value pairs|magic|header|tensor info)",
        "The GGUF file ends too early: it was not downloaded or copied completely.",
        "Download the file again, and compare its size with the page's.",
    ),
    _Sign(
        r"invalid magic characters: '?(.{1,8}?)'?,",
        "The file is no GGUF file: it begins with {0!r}.",
        "Give a file that ends in .gguf, or the folder of the model.",
    ),
    _Sign(
        r"GGUF file is version (\d+) but this software only supports up to version (\d+)",
        "The file is of GGUF version {0}; this llama.cpp reads up to {1}.",
        _UPDATE,
    ),
    _Sign(r"unknown model architecture: '([^']+)'", "This version of llama.cpp does not know the architecture {0!r}.", _UPDATE),
    _Sign(r"unknown pre-tokenizer type: '([^']+)'", "This version of llama.cpp does not know the tokenizer {0!r}.", _UPDATE),
    _Sign(
        r"failed to (?:apply|load) lora adapter|failed to init(?:ialize)? lora|lora_adapter_init",
        "The LoRA adapter does not fit this model.",
        "Give the adapter that was trained on it.",
    ),
    _Sign(
        r"V cache (?:quantization )?requires flash_attn",
        "llama.cpp keeps values in blocks only with flash attention, which this model or machine has not.",
        "Leave cache_type_v= out.",
    ),
    _Sign(
        r"failed to allocate buffer for kv cache|failed to initialize the context",
        "There is not enough memory for the context that was asked for.",
        "Give n_ctx=… a smaller value (it is shared by all conversations), n_parallel=1, or cache_type_k='q8_0' and cache_type_v='q8_0'.",
    ),
    _Sign(
        r"unable to allocate \S+ buffer|failed to allocate (?:\S+ )?buffer|cudaMalloc failed: out of memory|ErrorOutOfDeviceMemory",
        "There is not enough memory for the model's weights.",
        "Give n_gpu_layers=… a smaller value where the GPU is too small, stop other deployments, or take a smaller quantization.",
    ),
    _Sign(
        r"chat template parsing error|failed to initialize chat template",
        "llama.cpp cannot read the chat template.",
        "Name another one, such as chat_template='chatml'.",
    ),
    _Sign(r"couldn't bind", "The port was taken in the moment of the start.", "start() tries again with another one."),
    _Sign(
        r"failed to load (?:multimodal model|mmproj|CLIP model)",
        "The mmproj file does not fit this model.",
        "Give mmproj= the one that came with the model.",
    ),
    _Sign(
        r"invalid split file|split\S* (?:file )?(?:is )?missing|failed to (?:open|load) GGUF split",
        "A part of the model's split file is missing.",
        "Download all parts into one folder, and give the first.",
    ),
)


def explained(log_tail: str) -> Failure | None:
    """What went wrong and what to do; None for an end that leaves no such sign."""
    for sign in _SIGNS:
        found = re.search(sign.pattern, log_tail)
        if found:
            return Failure(sign.cause.format(*found.groups()), sign.fix, log_tail)
    return None
