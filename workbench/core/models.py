"""What a model is, as far as its files tell without loading it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

ModelFormat = Literal["safetensors", "gguf", "pytorch", ""]


@dataclass(frozen=True, slots=True)
class ModelMeta:
    """One model on this machine.

    Attributes
    ----------
    path : str
        The folder, or the GGUF file.
    name : str
        What people call it: the folder's or the file's name.
    format : str
        ``safetensors``, ``gguf``, ``pytorch``, or empty for a folder without weights. A folder with both safetensors and a
        GGUF is ``safetensors``, with the GGUF in `gguf`.
    architecture : str
        As in ``config.json``, such as ``Qwen3ForCausalLM``; for a GGUF alone llama.cpp's name, such as ``qwen3``.
    type : str
        ``llm``, ``vlm``, ``embed``, ``rerank``, ``stt``, ``tts`` or ``sd``.
    parameters, size_bytes : int
        How many weights, and how much room their files take; 0 when unknown.
    dtype : str
        Of most weights, such as ``bfloat16`` or ``Q8_0``.
    context_length : int
        Tokens; 0 when unknown.
    has_chat_template : bool
    vocabulary : int
        Tokens the model knows; 0 when unknown.
    gguf : str
        A GGUF file beside the safetensors, or the model itself; empty when there is none.
    adapter_of : str
        For a LoRA adapter, the base model it belongs to.
    details : Mapping
        Layers, hidden size, quantization and the like, for a card.
    """

    path: str
    name: str
    format: ModelFormat = ""
    architecture: str = ""
    type: str = "llm"
    parameters: int = 0
    size_bytes: int = 0
    dtype: str = ""
    context_length: int = 0
    has_chat_template: bool = False
    vocabulary: int = 0
    gguf: str = ""
    adapter_of: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
