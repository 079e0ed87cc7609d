"""What a flow looks like: a tree in text, nested boxes in a notebook. Knows the shape of flows, not what they do."""

from __future__ import annotations

from html import escape
from typing import Any

from .binding import bind, shown
from .items import Function, is_flow

_BOX = "border:1px solid var(--jp-border-color1,#bbb);border-radius:4px;padding:4px 8px;margin:2px;color:var(--jp-ui-font-color1,inherit)"
_SMALL = "color:var(--jp-ui-font-color2,#666);font-size:85%"
IN_A_ROW = ("pipeline", "loop", "warp")


def drawn(flow: Any) -> list[tuple[str, Any]]:
    """The labels and items of a flow."""
    own = getattr(type(flow), "_drawn", None)
    found: list[tuple[str, Any]] = own(flow) if own is not None else list(zip(flow._item_names, flow._items, strict=True))
    return found


def title(flow: Any) -> str:
    """Its kind and name, and the shape of what it returns."""
    shape = flow.__dict__.get("_shape", "")
    return str(flow.flow_kind) + (f".{shape}" if shape else "") + (f" {flow._name!r}" if flow._name else "")


def _text(item: Any) -> str:
    if item is None:
        return ""
    return shown(item._f if isinstance(item, Function) else item)


def _parts(item: Any) -> tuple[Any, str]:
    """(the flow inside, what is bound)"""
    if type(item) is bind and is_flow(item._f):
        return item._f, " | bind" + repr(item).rpartition("| bind")[2]
    return (item, "") if is_flow(item) else (None, "")


def tree(flow: Any) -> str:
    """The flow as a tree of lines."""
    return "\n".join(_lines(flow, "", frozenset()))


def _lines(flow: Any, bound: str, above: frozenset[int]) -> list[str]:
    lines = [title(flow) + bound]
    if id(flow) in above:
        return [lines[0] + " …"]
    items = drawn(flow)
    for number, (label, item) in enumerate(items):
        last = number == len(items) - 1
        inner, binds = _parts(item)
        below = _lines(inner, binds, above | {id(flow)}) if inner is not None else [_text(item)]
        if label and not (inner is not None and inner._name == label):
            below[0] = f"{label}: {below[0]}" if below[0] else label
        lines.append(("└─ " if last else "├─ ") + below[0])
        lines += [("   " if last else "│  ") + line for line in below[1:]]
    return lines


def boxes(flow: Any) -> str:
    """The flow as nested boxes: steps from left to right, branches one under the other."""
    return f'<div role="group" aria-label="{escape(title(flow))}" style="font-size:var(--jp-ui-font-size1,13px)">{_box(flow, "", frozenset())}</div>'


def _box(flow: Any, bound: str, above: frozenset[int], name: str = "") -> str:
    row = flow.flow_kind in IN_A_ROW
    cells = []
    for label, item in drawn(flow) if id(flow) not in above else ():
        inner, binds = _parts(item)
        if inner is not None:
            label = "" if label == inner._name else label
            cells.append(_box(inner, binds, above | {id(flow)}, label))
        else:
            name = f'<span style="{_SMALL}">{escape(label)}</span> ' if label else ""
            cells.append(f'<div style="{_BOX}">{name}{escape(_text(item))}</div>')
    arrow = f'<span aria-hidden="true" style="{_SMALL}">→</span>' if row else ""
    layout = "display:flex;align-items:center;flex-wrap:wrap;gap:2px" if row else "display:flex;flex-direction:column;align-items:stretch"
    head = f'<div style="{_SMALL}">{escape((f"{name}: " if name else "") + title(flow) + bound)}</div>'
    return f'<div style="{_BOX};display:inline-block">{head}<div style="{layout}">{arrow.join(cells)}</div></div>'
