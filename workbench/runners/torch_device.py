"""Where torch calculates when nobody says it. Standard library at the top; torch is there where a model is."""

from __future__ import annotations


def device_of(wanted: str) -> str:
    """The device that is meant by ``auto``; any other is taken at its word."""
    import torch

    if wanted != "auto":
        return wanted
    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
