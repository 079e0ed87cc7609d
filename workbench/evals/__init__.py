"""Evaluation: rows → outputs → scores → what may be said about them."""

from .result import EvalOutput, EvalResult, EvalRow, Measure, ScoreSummary

__all__ = ["EvalOutput", "EvalResult", "EvalRow", "Measure", "ScoreSummary"]
