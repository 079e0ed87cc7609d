"""Stands in for torchaudio, whose wheels on the package index need CUDA libraries; LLaMA-Factory imports it for audio inputs only.

Found only where no torchaudio is installed, because its folder comes last on the path.
"""

from __future__ import annotations

from typing import Any

__version__ = "0"


def __getattr__(name: str) -> Any:
    raise AttributeError(f"torchaudio.{name} is not here: audio data cannot be used in this environment (torchaudio is not installed)")
