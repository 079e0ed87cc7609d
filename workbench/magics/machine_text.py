"""The machine in a few lines, for a terminal. Knows the snapshot's fields, nothing of widgets."""

from __future__ import annotations

from ..core.sizes import size
from ..runtime.machine import Machine, snapshot


def machine_text(machine: Machine | None = None) -> str:
    """Cores, memory, GPUs, and who holds how much."""
    m = machine or snapshot()
    lines = [f"CPU     {m.cpu_use:4.0%} of {m.cores} cores", f"Memory  {size(m.memory_used)} of {size(m.memory_total)}"]
    for g in m.gpus:
        use = f"{g.use:4.0%}" if g.use is not None else "   –"
        lines.append(f"GPU {g.index}   {use} · {size(g.memory_used)} of {size(g.memory_total)} · {g.name}")
    if not m.gpus:
        lines.append("GPU     none")
    lines += [f"  {size(h.memory):>9}  {'' if h.use is None else format(h.use, '4.0%'):>5}  {h.name} ({h.what})" for h in m.holders]
    return "\n".join(lines)
