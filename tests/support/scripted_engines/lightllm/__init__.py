"""Stands in for LightLLM."""
