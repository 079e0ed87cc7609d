"""Ends a generation of transformers whose caller has gone. Needs torch where it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from .serving_work import Gone
else:
    from serving_work import Gone


def stopping(gone: Gone) -> Any:
    """``stopping_criteria`` of ``generate``."""
    from transformers import StoppingCriteriaList

    return StoppingCriteriaList([_Stop(gone)])


class _Stop:
    def __init__(self, gone: Gone) -> None:
        self._gone = gone

    def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
        import torch

        return torch.full((input_ids.shape[0],), self._gone(), device=input_ids.device, dtype=torch.bool)
