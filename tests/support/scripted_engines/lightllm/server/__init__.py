"""Stands in for LightLLM's server."""
