"""A conversation with one or several models: what was asked and what each answered. Knows no widget and no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal
from uuid import uuid4

State = Literal["waiting", "writing", "done", "stopped", "error"]


@dataclass(slots=True)
class Answer:
    """What one model says to one question. Times in seconds; ``speed`` in tokens a second."""

    model: int
    state: State = "waiting"
    text: str = ""
    think: str = ""
    first_token: float | None = None
    total: float | None = None
    speed: float | None = None
    tokens: int | None = None
    prompt_tokens: int | None = None
    cut: bool = False
    error: dict[str, str] | None = None
    run: str = field(default_factory=lambda: uuid4().hex[:8])

    @property
    def active(self) -> bool:
        return self.state in ("waiting", "writing")


@dataclass(slots=True)
class Exchange:
    """One question and its answers, one a model."""

    text: str
    answers: list[Answer]
    id: str = field(default_factory=lambda: uuid4().hex[:8])

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def messages(exchanges: Sequence[Exchange], model: int, system: str = "") -> list[dict[str, str]]:
    """The conversation as one model knows it, as OpenAI messages: an answer that failed is left out with its question."""
    said = [{"role": "system", "content": system}] if system else []
    for exchange in exchanges:
        answer = next((a for a in exchange.answers if a.model == model), None)
        if answer is None or answer.active or (answer.state == "error" and not answer.text):
            continue
        said += [{"role": "user", "content": exchange.text}, {"role": "assistant", "content": answer.text}]
    return said


@dataclass(slots=True)
class Parameters:
    """What is sent with every question; None leaves it to the model."""

    system: str = ""
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def sent(self) -> dict[str, Any]:
        """Under OpenAI's names."""
        return {k: v for k, v in asdict(self).items() if k != "system" and v is not None}

    def change(self, values: Mapping[str, Any]) -> None:
        """Take new values; a number that is none counts as not given."""
        self.system = str(values.get("system", self.system))
        self.temperature = _number(values, "temperature", self.temperature)
        self.top_p = _number(values, "top_p", self.top_p)
        self.max_tokens = _whole(_number(values, "max_tokens", self.max_tokens))
        self.seed = _whole(_number(values, "seed", self.seed))


def _number(values: Mapping[str, Any], name: str, before: float | None) -> float | None:
    value = values.get(name, before)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
