"""Writes data sets as the uniform JSONL that a trainer reads: ``python -m workbench.data.uniform SPEC.json``.

Trainers guess the columns and types of a whole file from its first rows and fail in the middle where a row has a field
more, or a number for a text. Here every row has the same fields, all texts: ``messages`` (``role``, ``content``), ``system``,
``tools``. The spec has ``folder`` and, for ``train`` and ``valid``, ``path`` and ``format``. Does not know the trainer.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from .formats import BadRow, turns_of
from .sources import rows_of_file

_REPORT_EVERY = 20_000


def write(source: dict[str, str], target: Path) -> int:
    """Write one data set and return its rows. One that has become faulty since it was checked is left out, with a notice."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft, count, left_out = target.with_suffix(".draft"), 0, 0
    with draft.open("w", encoding="utf-8") as f:
        for row in rows_of_file(Path(source["path"])):
            try:
                turns, system, tools = turns_of(row.value, source["format"])
            except BadRow:
                left_out += 1
                continue
            f.write(json.dumps({"messages": turns, "system": system, "tools": tools}, ensure_ascii=False) + "\n")
            count += 1
            if count % _REPORT_EVERY == 0:
                _event("progress", phase="data", text=f"Preparing the data: {count:,} rows", done=count, unit="rows")
    os.replace(draft, target)
    if left_out:
        _event("notice", level="warning", text=f"{left_out} rows of {source['path']} are faulty by now and were left out.")
    return count


def _event(event: str, **fields: Any) -> None:
    path = os.environ.get("WORKBENCH_EVENTS")
    if path:
        with open(path, "a", encoding="utf-8") as f:
            f.write(json.dumps({"event": event, "time": time.time(), **fields}) + "\n")


def main(spec_file: str) -> int:
    """Write what the spec asks for; 1 when there is nothing to train on."""
    spec = json.loads(Path(spec_file).read_text(encoding="utf-8"))
    for name in ("train", "valid"):
        if spec.get(name) and not write(spec[name], Path(spec["folder"]) / f"{name}.jsonl"):
            print(f"No row of {spec[name]['path']} can be trained on.", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
