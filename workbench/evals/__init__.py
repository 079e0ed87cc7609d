"""Evaluation: rows → outputs → scores → what may be said about them."""

from .compare import acompare, aevaluate, compare, evaluate, unfinished
from .result import EvalOutput, EvalResult, EvalRow, Measure, ScoreSummary
from .scoring import Function, Judgement, Scorer
from .values import EvalCase

__all__ = [
    "EvalCase",
    "EvalOutput",
    "EvalResult",
    "EvalRow",
    "Function",
    "Judgement",
    "Measure",
    "ScoreSummary",
    "Scorer",
    "acompare",
    "aevaluate",
    "compare",
    "evaluate",
    "unfinished",
]
