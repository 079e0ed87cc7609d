"""A model's description for people: a line, lines, a table. Knows no widget."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .kinds import noun
from .sizes import size

if TYPE_CHECKING:
    from .models import ModelMeta, Served

_MISSING = "unknown"


def lines(meta: ModelMeta) -> list[tuple[str, str]]:
    """A heading, and what it says; what is not known is left out."""
    return [(head, text) for head, text in (*_of_files(meta), *(_of_server(meta, meta.served) if meta.served else ())) if text]


def text(meta: ModelMeta) -> str:
    """The lines, one below the other."""
    rows = lines(meta)
    wide = max((len(head) for head, _ in rows), default=0)
    return "\n".join([meta.name or _MISSING, *(f"  {head:<{wide}}  {said}" for head, said in rows)])


def short(meta: ModelMeta) -> str:
    """One line."""
    facts = (noun(meta.type), meta.architecture, _weights(meta), f"{meta.max_model_len:,} tokens" if meta.max_model_len else "", meta.engine)
    return f"<ModelMeta {meta.name}: {', '.join(filter(None, facts))}>"


def table(meta: ModelMeta) -> str:
    """HTML, in the colours of the page."""
    cell = "text-align:left;vertical-align:top;padding:2px 12px 2px 0;white-space:pre-wrap;overflow-wrap:anywhere"
    body = "".join(
        f'<tr><th scope="row" style="{cell};white-space:nowrap">{html.escape(head)}</th><td style="{cell}">{html.escape(said)}</td></tr>'
        for head, said in lines(meta)
    )
    name = html.escape(meta.name or _MISSING)
    return f'<table aria-label="The model {name}"><caption style="text-align:left">{name}</caption><tbody>{body}</tbody></table>'


def _of_files(meta: ModelMeta) -> Iterator[tuple[str, str]]:
    told = f" ({meta.told_by})" if meta.told_by else ""
    yield "type", f"{meta.type}: {noun(meta.type)}{told}"
    yield "takes", ", ".join(meta.takes)
    yield "architecture", meta.architecture
    yield "weights", _weights(meta)
    yield "quantization", meta.quantization
    own = meta.context_length
    served = meta.served.context_length if meta.served else 0
    yield (
        "context",
        f"{served:,} tokens as served{f', {own:,} by its files' if own and own != served else ''}" if served else f"{own:,} tokens" if own else "",
    )
    yield "vectors", _vectors(meta)
    template = (meta.served.chat_template if meta.served else "") or meta.chat_template
    yield "chat template", template or ("none" if meta.path and meta.type in ("llm", "vlm") else "")
    yield "adapter of", meta.adapter_of
    yield "path", meta.path or ("" if meta.served else "not on this machine yet")


def _of_server(meta: ModelMeta, served: Served) -> Iterator[tuple[str, str]]:
    yield "engine", f"{served.engine}{f', {served.state}' if served.state else ''}" if served.engine else served.state
    yield "answers", f"{served.url}{f' as {served.model}' if served.model else ''}" if served.url else ""
    yield "pooling", f"{served.pooling} of a text's tokens" if served.pooling else ""
    yield "adapters", ", ".join(served.adapters)
    held = [f"{size(served.memory)} held" if served.memory else "", f"{size(served.gpu_memory)} of GPUs" if served.gpu_memory else ""]
    yield "memory", " and ".join(filter(None, held))
    yield "estimate", _need(served)


def _weights(meta: ModelMeta) -> str:
    count = meta.parameters
    many = f"{count / 1e9:.1f} B parameters" if count >= 10**9 else f"{count / 1e6:.1f} M parameters" if count >= 10**5 else f"{count:,} parameters"
    return ", ".join(filter(None, (many if count else "", meta.dtype, size(meta.size_bytes) if meta.size_bytes else "")))


def _vectors(meta: ModelMeta) -> str:
    numbers = meta.details.get("dimensions")
    if not numbers:
        return ""
    return f"{numbers:,} numbers{', sparse' if meta.details.get('sparse') else ''}"


def _need(served: Served) -> str:
    need = served.need
    if not need.get("total"):
        return ""
    cache = f", cache {size(need['cache'])} for {need['tokens']:,} tokens" if need.get("cache") else ""
    return f"{size(need['total'])}: weights {size(need.get('weights', 0))}{cache}, about {size(need.get('beside', 0))} beside"
