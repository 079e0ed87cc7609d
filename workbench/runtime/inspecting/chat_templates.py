"""Where a model keeps its chat template and the texts of its special tokens. Reads files; renders nothing.

Places, as transformers looks them up: ``chat_template.jinja``, ``additional_chat_templates/*.jinja``, ``chat_template.json``,
``tokenizer_config.json``; of a GGUF file its header (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...core.gguf_header import read_header, read_texts
from .model_evidence import mapping

_LARGEST = 4 << 20  # bytes; no template is that long
_SPECIAL = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """A chat template.

    Attributes
    ----------
    text : str
        Jinja; empty where the model has none.
    special : Mapping of str to str
        The tokenizer's own texts under the names that templates know, such as ``bos_token``.
    tool_use : str
        The template for calls with tools, where the model has one of its own for them.
    source : str
        Where the text stands.
    """

    text: str = ""
    special: Mapping[str, str] = field(default_factory=dict)
    tool_use: str = ""
    source: str = ""

    def for_tools(self, tools: object) -> str:
        """The text for a call with or without tools."""
        return self.tool_use if tools and self.tool_use else self.text


def template_of(model: Path) -> ChatTemplate:
    """The model's own template; its text is empty where there is none.

    Raises
    ------
    ModelNotFound
        For a damaged GGUF file.
    """
    if model.is_file():
        return _of_gguf(model)
    special = special_tokens(model)
    config = mapping(model / "tokenizer_config.json")
    found = _named(config.get("chat_template")), "tokenizer_config.json"
    for name in ("chat_template.json", "chat_template.jinja"):  # the later one counts
        if (model / name).is_file():
            found = (_named(mapping(model / name).get("chat_template")) if name.endswith(".json") else {"default": _text(model / name)}), name
    texts, source = found
    texts = {**texts, **{p.stem: _text(p) for p in sorted(model.glob("additional_chat_templates/*.jinja"))}}
    if not texts and not (model / "config.json").exists() and (ggufs := sorted(model.glob("*.gguf"))):
        return _of_gguf(next((g for g in ggufs if not g.name.startswith("mmproj")), ggufs[0]))
    return ChatTemplate(_default(texts), special, texts.get("tool_use", ""), f"{model / source}" if texts else "")


def special_tokens(model: Path) -> dict[str, str]:
    """The texts of a folder's special tokens under the names that templates know."""
    found: dict[str, str] = {}
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        for key, value in mapping(model / name).items():
            if key in _SPECIAL or (key.endswith("_token") and key not in ("add_bos_token", "add_eos_token")):
                text = value.get("content") if isinstance(value, dict) else value
                if isinstance(text, str):
                    found[key] = text
    return found


def _of_gguf(file: Path) -> ChatTemplate:
    of = read_header(file).values
    wanted = {name: of.get(f"tokenizer.ggml.{key}_token_id") for name, key in (("bos_token", "bos"), ("eos_token", "eos"), ("unk_token", "unknown"))}
    texts = read_texts(file, "tokenizer.ggml.tokens", {int(i) for i in wanted.values() if isinstance(i, int)})
    special = {name: texts[i] for name, i in wanted.items() if isinstance(i, int) and i in texts}
    text = of.get("tokenizer.chat_template") or ""
    return ChatTemplate(str(text), special, str(of.get("tokenizer.chat_template.tool_use") or ""), str(file) if text else "")


def _named(value: Any) -> dict[str, str]:
    """Templates by name, from a text or from ``[{name, template}]``."""
    if isinstance(value, str):
        return {"default": value}
    if isinstance(value, Mapping):
        return {str(k): str(v) for k, v in value.items()}
    rows = value if isinstance(value, list) else []
    return {str(r["name"]): str(r["template"]) for r in rows if isinstance(r, Mapping) and "name" in r and "template" in r}


def _default(texts: Mapping[str, str]) -> str:
    return texts.get("default") or next(iter(texts.values()), "")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") if path.stat().st_size < _LARGEST else ""
    except (OSError, UnicodeDecodeError):
        return ""
