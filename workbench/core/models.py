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
        One of `workbench.core.kinds.KINDS`, such as ``llm`` or ``embed``; or ``classify``, ``text2video``, ``text2audio``, which nothing here
        serves.
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
    told_by : str
        What told the type: ``modules.json``, ``the architecture BertModel``, ``its name``.
    also : tuple of str
        Types that the user may name instead.
    takes : tuple of str
        What it can be given: ``text``, ``image``, ``audio``, ``video``; empty when unknown.
    chat_template : str
        Where its chat template lies: ``chat_template.jinja``, ``tokenizer_config.json``, ``the GGUF file``; empty when there is none.
    quantization : str
        How its weights are quantized, such as ``awq 4 bit`` or ``Q8_0``; empty when they are not.
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
    told_by: str = ""
    also: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    chat_template: str = ""
    quantization: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
