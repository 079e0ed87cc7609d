"""Formatters: what is made of an output."""

from .chain import Chain, Formatter, chain

__all__ = ["Chain", "Formatter", "chain"]
