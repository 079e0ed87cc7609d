"""Evaluation: rows → outputs → scores → what may be said about them."""

from .compare import acompare, aevaluate, compare, evaluate, unfinished
from .judge import Judge
from .overlap import Bleu, RougeL
from .result import EvalOutput, EvalResult, EvalRow, Measure, ScoreSummary
from .scorers import F1, Contains, Exact, JsonField, Regex
from .scoring import Function, Judgement, Scorer
from .similarity import Similarity
from .values import EvalCase

__all__ = [
    "F1",
    "Bleu",
    "Contains",
    "EvalCase",
    "EvalOutput",
    "EvalResult",
    "EvalRow",
    "Exact",
    "Function",
    "JsonField",
    "Judge",
    "Judgement",
    "Measure",
    "Regex",
    "RougeL",
    "ScoreSummary",
    "Scorer",
    "Similarity",
    "acompare",
    "aevaluate",
    "compare",
    "evaluate",
    "unfinished",
]
