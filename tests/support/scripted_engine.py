"""Interpreters that seem to have an engine which needs a GPU: its published command line and OpenAI form, behind an echo (`scripted_engines`)."""

from __future__ import annotations

import sys
import sysconfig
import venv
from pathlib import Path

_VERSIONS = {"lmdeploy": "0.18.0", "sglang": "0.5.23", "lightllm": "1.1.0"}


def interpreter(folder: Path, engine: str) -> Path:
    """A virtual environment with the stand-in of one engine, and all that this one has."""
    home = folder / f"env-{engine}"
    venv.EnvBuilder(symlinks=True, with_pip=False).create(home)
    packages = home / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    (packages / "beside.pth").write_text(f"{Path(__file__).parent / 'scripted_engines'}\n{sysconfig.get_paths()['purelib']}\n", encoding="utf-8")
    info = packages / f"{engine}-{_VERSIONS[engine]}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {engine}\nVersion: {_VERSIONS[engine]}\n", encoding="utf-8")
    return home / "bin" / "python"
