"""Prompts: what stands around an input."""

from .chat import ChatPrompt

__all__ = ["ChatPrompt"]
