"""Frozen values that every layer speaks in. Standard library only; no input or output."""
