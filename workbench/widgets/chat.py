"""The chat: one conversation, or several models side by side on the same questions. The conversation lives here, so that a
page that is reloaded shows all of it; each answer is read by a thread of its own and sent to the page every 40 ms.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ..core.kinds import CHATS, KINDS
from ..errors import ArgumentError
from . import static
from .base import Widget, problem
from .messages import say
from .turns import Answer, Exchange, Parameters, messages
from .words import duration

if TYPE_CHECKING:
    from pandas import DataFrame

    from ..runtime.answering.stream import Stream

_PIECES = 0.04


class Model(Protocol):
    """What the chat needs of a model."""

    name: str

    def stream(self, input: Any, **parameters: Any) -> Stream: ...


class Chat(Widget):
    """A live conversation.

    Parameters
    ----------
    model : module or sequence of modules
        Whom to talk to; several are asked the same and answer side by side.
    system : str, optional
        A system prompt.
    temperature, top_p : float, optional
    max_tokens, seed : int, optional
        Sent with every question; the model's own when not given. They can be changed in the chat.
    """

    bundle_name = "chat"

    def __init__(
        self,
        model: Model | Sequence[Model],
        *,
        system: str = "",
        temperature: float | None = None,
        top_p: float | None = None,
        max_tokens: int | None = None,
        seed: int | None = None,
        **unknown: Any,
    ) -> None:
        self._models: list[Any] = list(model) if isinstance(model, list | tuple) else [model]
        if not unknown:
            _check(self._models)
        self._parameters = Parameters(system, temperature, top_p, max_tokens, seed)
        self._exchanges: list[Exchange] = []
        self._streams: dict[str, Stream] = {}
        self._stopped: set[str] = set()
        self._pieces: dict[str, list[tuple[bool, str]]] = {}
        self._some = threading.Event()
        self._sender: threading.Thread | None = None
        self._revision = 0
        self._starting: dict[int, dict[str, Any]] = {}
        super().__init__(**unknown)

    @property
    def messages(self) -> list[dict[str, str]]:
        """The conversation with the first model, as OpenAI messages."""
        return self.history()

    def history(self, model: int = 0) -> list[dict[str, str]]:
        """The conversation with one of the models, as OpenAI messages."""
        with self._lock:
            return messages(self._exchanges, model, self._parameters.system)

    def ask(self, text: str) -> None:
        """Ask all models, as if it had been typed; the answers come into the chat."""
        with self._lock:
            if any(a.active for e in self._exchanges for a in e.answers):
                raise ArgumentError("The last question is still being answered.", "", "Stop it first, or wait.")
            exchange = Exchange(text, [Answer(i) for i in range(len(self._models))])
            self._exchanges.append(exchange)
            self._tell(exchange=exchange.to_json())
            for answer in exchange.answers:
                self._answer(exchange, answer)

    def stop(self) -> None:
        """Stop every answer; what came stays."""
        with self._lock:
            for answer in (a for e in self._exchanges for a in e.answers if a.active):
                self._stopped.add(answer.run)
                if (stream := self._streams.get(answer.run)) is not None:
                    stream.close()

    def clear(self) -> None:
        """Begin a new conversation."""
        with self._lock:
            self.stop()
            self._exchanges = []
            self._tell(exchanges=[])

    def retry(self, id: str, model: int | None = None) -> None:
        """Ask a question again, all models or one; what was said after it is dropped when all are asked."""
        with self._lock:
            at = self._find(id)
            if model is None:
                self._edit(at, self._exchanges[at].text)
                return
            exchange = self._exchanges[at]
            answer = exchange.answers[model] = Answer(model)
            self._tell(exchange=exchange.to_json())
            self._answer(exchange, answer)

    def edit(self, id: str, text: str) -> None:
        """Ask another question in the place of one; what was said after it is dropped."""
        with self._lock:
            self._edit(self._find(id), text)

    def _edit(self, at: int, text: str) -> None:
        self.stop()
        self._exchanges = self._exchanges[:at]
        self._tell(exchanges=[e.to_json() for e in self._exchanges])
        self.ask(text)

    def _find(self, id: str) -> int:
        for at, exchange in enumerate(self._exchanges):
            if exchange.id == id:
                return at
        raise ArgumentError("That question is no longer there.", "The conversation was cleared or changed elsewhere.")

    # ---- answering

    def _answer(self, exchange: Exchange, answer: Answer) -> None:
        at = self._exchanges.index(exchange)
        said = [*messages(self._exchanges[:at], answer.model, self._parameters.system), {"role": "user", "content": exchange.text}]
        parameters = self._parameters.sent()
        model = self._models[answer.model]
        thread = threading.Thread(target=self._read, args=(model, said, parameters, exchange, answer), name=f"chat-{answer.run}", daemon=True)
        thread.start()
        if self._sender is None or not self._sender.is_alive():
            self._sender = threading.Thread(target=self._send_pieces, name="chat-pieces", daemon=True)
            self._sender.start()

    def _read(self, model: Any, said: list[dict[str, str]], parameters: Mapping[str, Any], exchange: Exchange, answer: Answer) -> None:
        stream: Stream | None = None
        error: Exception | None = None
        try:
            stream = model.stream(said, **parameters)
            with self._lock:
                self._streams[answer.run] = stream
                stopped = answer.run in self._stopped
            if stopped:
                stream.close()
            for piece in stream:
                if self._closing.is_set():
                    stream.close()
                    return
                self._put(answer, piece.tag == "think", str(piece))
        except Exception as e:  # the answer is the place where the user sees it
            error = e
        with self._lock:
            self._flush()
            self._streams.pop(answer.run, None)
            self._finish(answer, stream, error)
            if exchange in self._exchanges and answer in exchange.answers:
                self._tell(exchange=exchange.to_json(), models=self._model_views())
            over = not any(a.active for e in self._exchanges for a in e.answers)
        if over:
            self._renew()

    def _finish(self, answer: Answer, stream: Stream | None, error: Exception | None) -> None:
        if stream is not None:
            done = stream.completion
            answer.first_token, answer.total = done.timing.first_token, done.timing.total
            answer.tokens, answer.prompt_tokens = done.usage.completion_tokens, done.usage.prompt_tokens
            answer.speed = done.timing.tokens_per_second(done.usage.completion_tokens)
            answer.cut = done.finish_reason == "length"
        if answer.run in self._stopped:
            self._stopped.discard(answer.run)
            answer.state = "stopped"
        elif error is not None:
            answer.state, answer.error = "error", problem(error)
        else:
            answer.state = "done"

    def _put(self, answer: Answer, think: bool, text: str) -> None:
        with self._lock:
            answer.state = "writing"
            if think:
                answer.think += text
            else:
                answer.text += text
            self._pieces.setdefault(answer.run, []).append((think, text))
        self._some.set()

    def _send_pieces(self) -> None:
        while not self._closing.is_set():
            self._some.wait(0.5)
            with self._lock:
                self._some.clear()
                self._flush()
                if not any(a.active for e in self._exchanges for a in e.answers):
                    self._sender = None
                    return
            self._closing.wait(_PIECES)

    def _flush(self) -> None:
        if not self._pieces:
            return
        pieces = [
            {"run": run, "text": "".join(t for think, t in parts if not think), "think": "".join(t for think, t in parts if think)}
            for run, parts in self._pieces.items()
        ]
        self._pieces = {}
        self._tell(pieces=pieces)

    # ---- starting a model that does not run

    def _start(self, model: int) -> None:
        """Start a model in the background; its state comes as news."""
        one = self._models[model]
        if model in self._starting or not callable(getattr(one, "start", None)):
            return
        self._starting[model] = {}

        def run() -> None:
            try:
                quietly(one.start, one)
                failed: dict[str, str] = {}
            except Exception as e:
                failed = problem(e)
            with self._lock:
                self._starting.pop(model, None)
                self._tell(models=self._model_views(), problem=failed or None)

        threading.Thread(target=run, name="chat-start", daemon=True).start()
        self._tell(models=self._model_views())

    # ---- what a page asks for

    def _tell(self, **content: Any) -> None:
        self._revision += 1
        self.news({"rev": self._revision, **content})

    def _model_views(self) -> list[dict[str, Any]]:
        return [self._model_view(i, m) for i, m in enumerate(self._models)]

    def _model_view(self, index: int, model: Any) -> dict[str, Any]:
        meta = getattr(model, "meta", None)
        last = next((a for e in reversed(self._exchanges) for a in e.answers if a.model == index and a.prompt_tokens is not None), None)
        return {
            "name": str(model.name),
            "state": "starting" if index in self._starting else str(getattr(model, "state", "running")),
            "engine": str(getattr(model, "engine", "") or ""),
            "context": getattr(meta, "context_length", None),
            "used": (last.prompt_tokens or 0) + (last.tokens or 0) if last else 0,
            "can_start": callable(getattr(model, "start", None)),
        }

    def _snapshot(self) -> Mapping[str, Any]:
        return {
            "rev": self._revision,
            "models": self._model_views(),
            "exchanges": [e.to_json() for e in self._exchanges],
            "parameters": self._parameters.to_json(),
        }

    def _methods(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "ask": self.ask,
            "stop": self.stop,
            "clear": self.clear,
            "retry": self.retry,
            "edit": self.edit,
            "start": self._start,
            "parameters": lambda values: self._parameters.change(values),
        }

    def close(self) -> None:
        if "_streams" in self.__dict__ and "_lock" in self.__dict__:
            self.stop()
        super().close()

    # ---- data and static forms

    def to_pandas(self) -> DataFrame:
        """The conversation, one row per question and model.

        Returns
        -------
        pandas.DataFrame
            Columns ``turn``, ``model``, ``question``, ``answer``, ``state``, ``first_token`` and ``seconds``, ``tokens``,
            ``tokens_per_second``, ``error``.
        """
        import pandas as pd

        with self._lock:
            rows = [
                (
                    turn,
                    str(self._models[a.model].name),
                    e.text,
                    a.text,
                    a.state,
                    a.first_token,
                    a.total,
                    a.tokens,
                    a.speed,
                    a.error["what"] if a.error else "",
                )
                for turn, e in enumerate(self._exchanges, start=1)
                for a in e.answers
            ]
        columns = ["turn", "model", "question", "answer", "state", "first_token", "seconds", "tokens", "tokens_per_second", "error"]
        return pd.DataFrame(rows, columns=columns)

    def _static_html(self) -> str:
        parts = []
        for exchange in self._exchanges:
            parts.append(_said(say("You"), static.escape(exchange.text)))
            for answer in exchange.answers:
                text = static.escape(answer.text) or static.escape(answer.error["what"] if answer.error else "")
                facts = [
                    say("first token {time}", time=duration(answer.first_token)) if answer.first_token is not None else "",
                    say("{speed} tok/s", speed=f"{answer.speed:,.0f}") if answer.speed else "",
                    say("{tokens} tokens", tokens=f"{answer.tokens:,}") if answer.tokens else "",
                ]
                parts.append(_said(static.escape(str(self._models[answer.model].name)), text, " · ".join(f for f in facts if f)))
        return static.card(", ".join(str(m.name) for m in self._models), "", "idle", [] if parts else [say("No messages yet.")], *parts)

    def __repr__(self) -> str:
        return f"<Chat with {', '.join(str(m.name) for m in self._models)}: {len(self._exchanges)} questions>"


def _check(models: Sequence[Any]) -> None:
    if not models:
        raise ArgumentError("A chat needs a model.", "", "Write Chat(m), or m.chat().")
    for model in models:
        if not callable(getattr(model, "stream", None)):
            raise ArgumentError(f"{model!r} cannot be talked to.", "It has no stream().", "Give a module, such as TrainableModule('pocket').")
        kind = str(getattr(model, "type", "")).lower()
        if kind in KINDS and kind not in CHATS:
            known = KINDS[kind]
            raise ArgumentError(f"{model.name} is {known.noun}: it does not chat.", "", f"Write {known.call}; it gives {known.gives}.")


def quietly(start: Callable[[], Any], model: Any) -> None:
    """Start a module without the card that it would show in the cell that runs: the widget that asked shows it already."""
    from ..runtime.work.front_end import cell

    if hasattr(model, "_shown_in"):
        model._shown_in = cell()
    start()


def _said(who: str, text: str, facts: str = "") -> str:
    small = f'<div style="font-size:11px;opacity:.7">{facts}</div>' if facts else ""
    return f'<div style="margin-top:12px"><b style="font-size:12px">{who}</b><div style="white-space:pre-wrap">{text}</div>{small}</div>'
