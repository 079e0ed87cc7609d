"""Modules around models that do not chat: what goes in, what comes out, and the calls in between."""
