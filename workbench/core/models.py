"""What a model is, as far as its files tell without loading it, and how it is served, where it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from . import model_words

ModelFormat = Literal["safetensors", "gguf", "pytorch", ""]


@dataclass(frozen=True, slots=True)
class Served:
    """How a model is served.

    Attributes
    ----------
    engine : str
        A name in the registry group ``deploy``; of a server of the user's what it says it is, or empty.
    model : str
        The name that the server knows it by.
    url, state : str
        Where it answers, and the deployment's state.
    context_length : int
        Tokens that a request may have there; 0 when unknown.
    chat_template : str
        Where the template comes from that stands for the model's own; empty where that counts.
    adapters : tuple of str
        LoRA adapters that callers may name.
    memory, gpu_memory : int
        Bytes that its processes hold now; 0 when unknown.
    need : Mapping of str to int
        The estimate of the fit check, in bytes: ``weights``, ``cache`` for ``tokens`` tokens, ``beside`` for the engine, ``total``.
    pooling : str
        How the vectors of a text's tokens become one, where the engine was told how; empty where the model's files say it.
    """

    engine: str = ""
    model: str = ""
    url: str = ""
    state: str = ""
    context_length: int = 0
    chat_template: str = ""
    adapters: tuple[str, ...] = ()
    memory: int = 0
    gpu_memory: int = 0
    need: Mapping[str, int] = field(default_factory=dict)
    pooling: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class ModelMeta:
    """A model: one on this machine, or one that a server tells of, which has no ``path``.

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
    served : Served or None
        How it is served, where it is asked of a module that has started.
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
    served: Served | None = None

    @property
    def max_model_len(self) -> int:
        """Tokens that a request may have: as it is served, else what the model can; 0 when unknown."""
        return (self.served.context_length if self.served else 0) or self.context_length

    @property
    def architectures(self) -> list[str]:
        """The architecture, as a configuration lists it."""
        return [self.architecture] if self.architecture else []

    @property
    def engine(self) -> str:
        """What serves it; empty where nothing does."""
        return self.served.engine if self.served else ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> list[tuple[str, str]]:
        """What people read: a heading, and what it says."""
        return model_words.lines(self)

    def __str__(self) -> str:
        return model_words.text(self)

    def __repr__(self) -> str:
        return model_words.short(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self) if cycle else str(self))

    def _repr_html_(self) -> str:
        return model_words.table(self)
