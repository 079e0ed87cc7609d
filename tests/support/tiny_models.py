"""Tiny models of every kind, for tests that start real engines: ``tiny("embed")`` is a folder with one.

They are made once, by the interpreter of an environment, and kept beside the environments for as long as what makes them
(`tests/support/tiny`) stays as it is. Nothing is downloaded but the environment.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

from filelock import FileLock

_MAKERS = Path(__file__).parent / "tiny"
TEXT_KINDS = ("chat", "lora", "embed", "bert", "sparse", "rerank", "xlmr_rerank", "clip", "whisper", "vits", "llava", "qwen2vl")
KINDS = {**dict.fromkeys(TEXT_KINDS, "transformers"), "sd": "diffusers"}  # kind → the environment that can make it
_DONE = ".made"


def tiny(kind: str) -> Path:
    """The folder of the tiny model of that kind; made when it is not there, together with those that the same environment makes.

    ``chat`` answers the questions in ``tiny/words.py`` and calls the tool ``get_weather``; ``lora`` is an adapter of it.
    ``embed`` is in the layout of sentence-transformers, ``bert`` a plain encoder, ``sparse`` a SPLADE; ``rerank`` and ``xlmr_rerank`` are
    cross-encoders. All but ``chat`` have random weights.
    """
    environment = KINDS[kind]
    root = _root()
    folder = root / kind
    if (root / f"{_DONE}-{environment}").exists():
        return folder
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / f".{environment}.lock"):
        if not (root / f"{_DONE}-{environment}").exists():
            _make(root, environment)
    return folder


def _root() -> Path:
    from workbench.settings import settings

    kept = os.environ.get("WORKBENCH_TEST_ENVS") or os.environ.get("WORKBENCH_ENV_DIR")
    envs = Path(kept) if kept else settings().envs_dir
    body = b"".join(p.read_bytes() for p in sorted(_MAKERS.glob("*.py")))
    return envs / ".tiny-models" / hashlib.sha256(body).hexdigest()[:12]


def _make(root: Path, environment: str) -> None:
    from workbench import envs

    kinds = [k for k, v in KINDS.items() if v == environment]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryDirectory() as away:  # a folder without modules that could hide a package
        command = [str(envs.ensure(environment)), str(_MAKERS / "make.py"), str(root), *kinds]
        made = subprocess.run(command, cwd=away, env=env, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    (root / f"{_DONE}-{environment}").write_text(made.stdout)
