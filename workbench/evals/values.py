"""What an evaluation is made of: a case goes in, an output comes out of each model, a row holds both. Frozen values; they
know neither models nor files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..core.messages import Usage

State = Literal["running", "finished", "cancelled"]
Verdict = Literal["better", "worse", "same", "inconclusive"]
LATENCY = "latency"


@dataclass(frozen=True, slots=True)
class EvalCase:
    """One thing to ask.

    Attributes
    ----------
    index : int
        Position in the evaluation set, from 0.
    input : Any
        What the model is asked: text, a list of message dicts, or (with `keywords`) a dict of arguments.
    expected : Any
        The right answer, or None.
    accept : tuple
        Further right answers.
    keywords : bool
        Whether `input` is a dict of keyword arguments.
    row : Mapping
        The whole row where it was a dict; a function that names its keys as parameters gets them.
    """

    index: int
    input: Any
    expected: Any = None
    accept: tuple[Any, ...] = ()
    keywords: bool = False
    row: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def answers(self) -> tuple[Any, ...]:
        """Every right answer, the expected one first."""
        return (*(() if self.expected is None else (self.expected,)), *self.accept)


@dataclass(frozen=True, slots=True)
class EvalOutput:
    """What one model made of one case.

    Attributes
    ----------
    value : Any
        The answer, usually text; None when there is none.
    error : str
        Why there is no answer, or empty.
    latency, first_token : float or None
        Seconds from sending the request.
    scores : Mapping of str to float or None
        One value a scorer; None where the scorer could not judge.
    notes : Mapping of str to str
        What a scorer said about its value, or why it failed.
    skipped : bool
        Never asked, because the evaluation was stopped before.
    cost : float or None
        US dollars, where the price is known.
    judge_usage : Usage
        Tokens that models as judges took for this output.
    parts : Mapping of str to tuple of float
        Counts of a scorer that rows add up to, see ``Measure.corpus``.
    """

    value: Any = None
    error: str = ""
    latency: float | None = None
    first_token: float | None = None
    usage: Usage = field(default_factory=Usage)
    scores: Mapping[str, float | None] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    skipped: bool = False
    cost: float | None = None
    judge_usage: Usage = field(default_factory=Usage)
    parts: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def missing(self) -> bool:
        """Whether there is no answer: never asked, or an error."""
        return self.skipped or bool(self.error)


@dataclass(frozen=True, slots=True)
class EvalRow:
    """One case with the output of every model, in the order of ``EvalResult.models``."""

    index: int
    input: Any
    expected: Any = None
    outputs: tuple[EvalOutput, ...] = ()
    accept: tuple[Any, ...] = ()

    @property
    def skipped(self) -> bool:
        """Whether any model was not asked."""
        return any(o.skipped for o in self.outputs)

    @property
    def failed(self) -> bool:
        """Whether any model gave an error instead of an answer."""
        return any(o.error and not o.skipped for o in self.outputs)


@dataclass(frozen=True, slots=True)
class Measure:
    """How the values of one scorer are read.

    Attributes
    ----------
    name, title : str
        The key in ``EvalOutput.scores``, and what people read.
    unit : str
        ``%`` for a share of 0 to 1 that is shown as a percentage, ``s`` for seconds, else any unit or none.
    higher_is_better : bool
        Which way is up.
    margin : float or None
        A difference inside plus or minus this does not matter; None when every difference does.
    relative_margin : bool
        Whether `margin` is a share of the baseline's value.
    median : bool
        Whether models are compared by medians; otherwise by means.
    on_error : float or None
        What a missing answer counts as; None leaves the row out.
    corpus : str
        Name in the registry group ``corpus_measure`` of what gives one value for all rows together, where that is not the mean
        of the rows' values.
    """

    name: str
    title: str = ""
    unit: str = "%"
    higher_is_better: bool = True
    margin: float | None = 0.01
    relative_margin: bool = False
    median: bool = False
    on_error: float | None = 0.0
    corpus: str = ""


LATENCY_MEASURE = Measure(LATENCY, "Latency, median", "s", False, 0.05, True, True, None)


@dataclass(frozen=True, slots=True)
class ScoreSummary:
    """One scorer over all rows; the differences are candidate minus baseline over the rows that both have.

    Attributes
    ----------
    means : tuple of float or None
        Per model; medians where the measure compares medians (latency). None without a value.
    intervals : tuple of (float, float) or None
        Per model, 95 %. None where there are too few values for one.
    difference, difference_interval, p_value, verdict
        From the paired test; None with one model or without a common row. Verdicts are never drawn from the means.
    improved, regressed : int
        Rows on which the candidate's value is better or worse than the baseline's.
    rows_to_settle : int or None
        About how many more rows would settle an inconclusive verdict.
    rows : int
        How many rows the test stands on.
    margin : float or None
        The margin in the measure's own unit.
    baseline, candidate : int
        Which models the differences compare.
    """

    scorer: str
    title: str
    unit: str
    higher_is_better: bool
    means: tuple[float | None, ...]
    intervals: tuple[tuple[float, float] | None, ...]
    difference: float | None = None
    difference_interval: tuple[float, float] | None = None
    p_value: float | None = None
    verdict: Verdict | None = None
    improved: int = 0
    regressed: int = 0
    rows_to_settle: int | None = None
    rows: int = 0
    margin: float | None = None
    baseline: int = 0
    candidate: int = 0
