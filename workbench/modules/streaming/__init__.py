"""Pieces of answers on their way to whoever listens: a call, the screen, nobody."""
