"""Scorers that compare texts by what they share: ROUGE-L and BLEU. Pure functions of two texts; know no models."""

from __future__ import annotations

import importlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ..errors import ArgumentError, PluginError
from .scorers import text_of
from .scoring import Judgement, Value
from .values import EvalCase, Measure

_WORDS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_JAPANESE_KOREAN = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
ORDER = 4


@dataclass(frozen=True)
class RougeL:
    """ROUGE-L: the longest common subsequence of words as F1, 0 to 1, with the best right answer.

    Lin, "ROUGE: A package for automatic evaluation of summaries" (2004), with beta 1, lower-cased words of letters and digits and
    no stemming, as the package rouge-score counts it; a Chinese, Japanese or Korean character is a word.
    """

    measure: ClassVar[Measure] = Measure("rouge_l", "ROUGE-L")

    def judge(self, output: Any, case: EvalCase) -> Value:
        if not case.answers:
            return None
        said = _WORDS.findall(text_of(output).lower())
        return max(self._f1(said, _WORDS.findall(text_of(a).lower())) for a in case.answers)

    @staticmethod
    def _f1(said: Sequence[str], right: Sequence[str]) -> float:
        shared = common_subsequence(said, right)
        return 2 * shared / (len(said) + len(right)) if shared else 0.0


def common_subsequence(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of the longest common subsequence.

    One bit a word of ``a``, one pass over ``b``: Hyyrö, "Bit-parallel LCS-length computation revisited" (2004).
    """
    places: dict[str, int] = {}
    for i, word in enumerate(a):
        places[word] = places.get(word, 0) | 1 << i
    full = (1 << len(a)) - 1
    row = full
    for word in b:
        matched = row & places.get(word, 0)
        row = ((row + matched) | (row - matched)) & full
    return len(a) - row.bit_count()


@dataclass(frozen=True)
class Bleu:
    """BLEU, 0 to 100: of each row its sentence BLEU, of all rows together their corpus BLEU, which is not the mean of the rows.

    Papineni et al., "BLEU: a method for automatic evaluation of machine translation" (2002), as sacrebleu computes it (Post 2018,
    arXiv:1804.08771): up to four words, exponential smoothing; sentences with effective order. All right answers of a row are
    references.

    Parameters
    ----------
    tokenize : str, optional
        How sacrebleu finds words: ``13a``, ``zh``, ``char``, ``intl``, ``flores200``, … By default ``zh`` where the right answers are
        Chinese, ``char`` where they are Japanese or Korean, else ``13a``.
    lowercase : bool
        Whether case counts as nothing.

    Notes
    -----
    Needs sacrebleu: ``pip install 'jupyter-llm-workbench[evals]'``.
    """

    tokenize: str = ""
    lowercase: bool = False
    measure: ClassVar[Measure] = Measure("bleu", "BLEU", "", margin=None, on_error=0.0, corpus="bleu")
    counts_missing: ClassVar[bool] = True
    _made: dict[str, tuple[Any, Any]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def judge(self, output: Any, case: EvalCase) -> Value | Judgement:
        if not case.answers:
            return None
        right = [text_of(a) for a in case.answers]
        one, every = self._metrics(self.tokenize or _tokenizer(right))
        said = text_of(output) if output is not None else ""
        corpus = every.corpus_score([said], [[r] for r in right])
        parts = (*map(float, corpus.counts), *map(float, corpus.totals), float(corpus.sys_len), float(corpus.ref_len))
        return Judgement(one.sentence_score(said, right).score, parts=parts)

    async def prepare(self) -> None:
        """Say at once when sacrebleu is missing or does not know the tokenizer."""
        self._metrics(self.tokenize or "13a")

    def _metrics(self, tokenizer: str) -> tuple[Any, Any]:
        if tokenizer not in self._made:
            try:
                metrics = importlib.import_module("sacrebleu.metrics")
            except ImportError as e:
                raise PluginError("BLEU needs sacrebleu.", str(e), "pip install 'jupyter-llm-workbench[evals]'") from e
            try:
                made = [metrics.BLEU(tokenize=tokenizer, lowercase=self.lowercase, effective_order=o) for o in (True, False)]
            except Exception as e:  # sacrebleu raises what its tokenizers raise
                raise ArgumentError(
                    f"sacrebleu has no tokenizer {tokenizer!r}.", str(e), f"Choose one of: {', '.join(metrics.BLEU.TOKENIZERS)}."
                ) from e
            self._made[tokenizer] = made[0], made[1]
        return self._made[tokenizer]


def _tokenizer(right: Sequence[str]) -> str:
    text = " ".join(right)
    if _JAPANESE_KOREAN.search(text):
        return "char"
    return "zh" if _CHINESE.search(text) else "13a"


def bleu_of(sums: Sequence[float]) -> float:
    """Corpus BLEU, 0 to 100, from summed counts: matches and totals of one to four words, words said, words of the references."""
    matches, totals, said, right = sums[:ORDER], sums[ORDER : 2 * ORDER], sums[2 * ORDER], sums[2 * ORDER + 1]
    if not any(matches) or not all(totals):
        return 0.0
    smooth, logs = 1.0, 0.0
    for match, total in zip(matches, totals, strict=True):
        if not match:
            smooth *= 2.0
        logs += math.log(match / total if match else 1.0 / (smooth * total))
    brevity = 1.0 if said >= right else math.exp(1.0 - right / said)
    return 100.0 * brevity * math.exp(logs / ORDER)
