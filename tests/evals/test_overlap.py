"""ROUGE-L and BLEU against the packages that others use for them."""

from __future__ import annotations

import asyncio
import random
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU

from workbench.errors import ArgumentError, PluginError
from workbench.evals import Bleu, EvalResult, Judgement, RougeL, compare, evaluate
from workbench.evals.overlap import bleu_of, common_subsequence
from workbench.evals.values import EvalCase

WORDS = st.lists(st.sampled_from(["the", "cat", "sat", "on", "The", "mat.", "it's", "42", "dog-house", ","]), max_size=12)


def judged(scorer: Bleu, said: str | None, *right: str) -> Judgement:
    found = scorer.judge(said, EvalCase(0, "", right[0], right[1:]))
    assert isinstance(found, Judgement)
    return found


@given(WORDS, WORDS)
def test_rouge_l_is_what_rouge_score_says(said: list[str], right: list[str]) -> None:
    ours = RougeL().judge(" ".join(said), EvalCase(0, "", " ".join(right)))
    theirs = RougeScorer(["rougeL"]).score(" ".join(right), " ".join(said))["rougeL"].fmeasure
    assert ours == pytest.approx(theirs)


@given(st.text("abc", max_size=60), st.text("abc", max_size=60))
def test_the_common_subsequence_is_that_of_the_textbook(a: str, b: str) -> None:
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            table[i + 1][j + 1] = table[i][j] + 1 if x == y else max(table[i][j + 1], table[i + 1][j])
    assert common_subsequence(list(a), list(b)) == table[-1][-1]


def test_rouge_l_takes_the_best_answer_and_counts_chinese_by_characters() -> None:
    assert RougeL().judge("the cat", EvalCase(0, "", "a dog", ("the cat",))) == 1.0
    assert RougeL().judge("我喜欢猫", EvalCase(0, "", "我喜欢狗")) == pytest.approx(0.75)
    assert RougeL().judge("x", EvalCase(0, "")) is None


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=8))
def test_bleu_is_what_sacrebleu_says_for_sentences_and_for_all_rows(pairs: list[tuple[list[str], list[str]]]) -> None:
    said, right = [" ".join(a) for a, _ in pairs], [" ".join(b) or "x" for _, b in pairs]
    found = [judged(Bleu(), a, b) for a, b in zip(said, right, strict=True)]
    assert [j.value for j in found] == pytest.approx(
        [BLEU(effective_order=True).sentence_score(a, [b]).score for a, b in zip(said, right, strict=True)]
    )
    sums = [sum(column) for column in zip(*(j.parts for j in found), strict=True)]
    assert bleu_of(sums) == pytest.approx(BLEU().corpus_score(said, [right]).score, abs=1e-9)


def test_bleu_chooses_the_tokenizer_by_the_language() -> None:
    zh = BLEU(tokenize="zh", effective_order=True).sentence_score("我喜欢猫", ["我喜欢狗"]).score
    assert judged(Bleu(), "我喜欢猫", "我喜欢狗").value == pytest.approx(zh)
    assert judged(Bleu(), "猫が好き", "猫が好き").value == pytest.approx(100.0)
    assert judged(Bleu(tokenize="char"), "abcd", "abce", "abcd").value == pytest.approx(100.0)
    with pytest.raises(ArgumentError, match="no tokenizer 'none-such'"):
        asyncio.run(Bleu("none-such").prepare())


def test_without_sacrebleu_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sacrebleu.metrics", None)
    with pytest.raises(PluginError, match=r"pip install 'jupyter-llm-workbench\[evals\]'"):
        evaluate(str, [("a", "a")], scorers="bleu", show=False)


@pytest.mark.usefixtures("home")
def test_the_summary_has_corpus_bleu_with_an_interval_and_a_test() -> None:
    draw = random.Random(0)
    right = [" ".join(draw.choice(["a", "b", "c", "d", "e", "f"]) for _ in range(12)) for _ in range(60)]
    bad = [" ".join(draw.sample(r.split(), 12)) for r in right]

    def good(i: int) -> str:
        if i == 7:
            raise ValueError("no")
        return right[i]

    result = compare(lambda i: bad[i], good, evalset=list(enumerate(right)), scorers="bleu", names=["bad", "good"], show=False)
    summary = result.summary()[0]
    assert summary.means[0] == pytest.approx(BLEU().corpus_score(bad, [right]).score)
    said = [r if i != 7 else "" for i, r in enumerate(right)]
    assert summary.means[1] == pytest.approx(BLEU().corpus_score(said, [right]).score)  # a missing answer is not left out
    assert summary.intervals[0] is not None
    assert summary.intervals[0][0] < summary.means[0] < summary.intervals[0][1]
    assert (summary.verdict, summary.rows) == ("better", 60)
    assert summary.p_value is not None
    assert summary.p_value < 0.01
    assert EvalResult.load(result.id).summary()[0] == summary
    same = compare(good, good, evalset=list(enumerate(right)), scorers="bleu", show=False).summary()[0]
    assert (same.difference, same.p_value) == (0.0, 1.0)
