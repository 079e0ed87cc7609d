"""Modules: what a notebook user holds. A module can be called, and trained, deployed and evaluated with all it contains."""

from __future__ import annotations

import sys

from .base import ModuleBase
from .chat import ChatModule
from .hooks import Hook
from .local.trainable import TrainableModule
from .streaming.stream_call import StreamCall, StreamCallHelper

__all__ = ["ChatModule", "Hook", "ModuleBase", "StreamCall", "StreamCallHelper", "TrainableModule"]

llms = sys.modules[__name__]  # people who come from LazyLLM write module.llms.TrainableModule
