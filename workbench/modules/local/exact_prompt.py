"""`ExactPrompt`: the part of a `TrainableModule` that shows what the model really reads: the prompt after its chat template, and the tokens.

Knows a module's prompt and endpoint; how the text and the tokens come about is `workbench.runtime.inspecting.prompting`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ... import registry
from ...core.kinds import CHATS
from ...core.prompting import Prompted, PromptRequest
from ...deploy import default_parameters
from ...errors import ArgumentError, NotStarted
from .. import contents
from ..chat import Tools
from . import default_view, engines
from .default_view import Defaults
from .methods import NONE
from .tuned import Tuned

if TYPE_CHECKING:
    from ...core.endpoints import Endpoint

_WITHOUT = {
    "llama_cpp": "llama.cpp writes its prompts as ChatML, which it may not know",
    "lightllm": "LightLLM cannot answer chats",
    "lmdeploy": "LMDeploy sends it the bare texts",
    "sglang": "SGLang cannot answer chats",
    "transformers": "transformers cannot answer chats",
    "vllm": "vLLM cannot answer chats",
}
_FOR_TEMPLATES = ("add_generation_prompt", "continue_final_message", "documents", "enable_thinking")


class ExactPrompt(Tuned):
    """A `Tuned` that shows prompts and tokens. A running engine is asked; otherwise the model's own files tell."""

    def render(self, input: Any = "", *, llm_chat_history: Any = None, tools: Tools | None = None, files: Any = None, **variables: Any) -> str:
        """The exact text that the model reads for a call: prompt, history and tools of this module through the model's chat template.

        Parameters
        ----------
        input, llm_chat_history, tools, files : optional
            As in a call.
        **variables
            What the template can see besides, such as ``add_generation_prompt=False``, ``enable_thinking=False`` or ``documents=[…]``.

        Returns
        -------
        str

        Raises
        ------
        ArgumentError
            When the model has no chat template, or it refuses the messages.

        Examples
        --------
        >>> print(m.render('Hi'))
        <|im_start|>user
        Hi<|im_end|>
        <|im_start|>assistant
        """
        return self._prompted(self._question("render", input, llm_chat_history, tools, files, variables)).text

    def tokenize(
        self,
        input: str | Mapping[str, Any] | Sequence[Any] = "",
        *,
        with_pieces: bool = False,
        llm_chat_history: Any = None,
        tools: Tools | None = None,
        **variables: Any,
    ) -> list[int] | list[str]:
        """The tokens of a text as it stands, or of the prompt of messages.

        Parameters
        ----------
        input : str or sequence of messages
            A text goes without prompt and template; a dict or messages go through both, as in `render`.
        with_pieces : bool
            The strings that the tokens stand for, instead of their numbers; of part of a character, the replacement character.
        llm_chat_history, tools, **variables
            As in `render`; for messages only.

        Returns
        -------
        list of int, or list of str
        """
        found = self._tokens(input, llm_chat_history, tools, variables)
        return list(found.pieces) if with_pieces else list(found.ids)

    def count_tokens(
        self, input: str | Mapping[str, Any] | Sequence[Any] = "", *, llm_chat_history: Any = None, tools: Tools | None = None, **variables: Any
    ) -> int:
        """How many tokens `tokenize` gives. ``m.count_tokens(m.render('Hi'))`` is what a call with ``'Hi'`` costs."""
        return len(self._tokens(input, llm_chat_history, tools, variables).ids)

    def detokenize(self, ids: Iterable[int]) -> str:
        """The text that tokens stand for, special ones included.

        Raises
        ------
        ArgumentError
            For numbers that are no tokens of the model.
        """
        found = tuple(ids)
        if not all(isinstance(i, int) and not isinstance(i, bool) and i >= 0 for i in found):
            raise ArgumentError("Tokens are whole numbers.", f"{str(found)[:60]} was given.", "Give a list such as m.tokenize('Hi').")
        return self._prompted(PromptRequest("detokenize", ids=found)).text if found else ""

    @property
    def defaults(self) -> Defaults:
        """The generation parameters that count when a call gives none, and where each comes from: the model, the deployment or this face.

        Returns
        -------
        Defaults
            A mapping of names to values; ``m.defaults.origins['temperature']`` is ``'model'``, ``'deployment'`` or ``'face'``.
        """
        face = {default_parameters.SAME.get(name, name): value for name, value in self._parameters.items()}
        record, chosen = self._serving.record, self._methods["deploy"]
        if record is not None and record.state.active:
            engine, model = record.spec.backend, str(record.spec.payload.get("model") or "")
            told = default_view.of_deployment(engine, self._told_defaults(), record.spec.payload.get("arguments") or {})
        elif "url" in chosen.arguments or chosen.name == NONE or not engines.needs_model(chosen):
            return Defaults({"face": face})
        else:
            model = str(self._model_path(download=False))
            engine = engines.engine_of(model, chosen)
            settle = getattr(registry.get("deploy", engine), "settle", dict)
            own = {k: v for k, v in chosen.arguments.items() if k not in engines.OWN_ARGUMENTS}
            told = default_view.of_deployment(engine, self._told_defaults(), settle(own))
        return Defaults({"model": default_view.of_model(engine, model), "deployment": told, "face": face})

    def _tokens(self, input: Any, history: Any, tools: Tools | None, variables: Mapping[str, Any]) -> Prompted:
        if isinstance(input, str):
            if history is not None or tools is not None or variables:
                raise ArgumentError(
                    "A text is counted as it stands.", "History, tools and variables belong to messages.", "Write m.tokenize(m.render(…))."
                )
            return self._prompted(PromptRequest("tokenize", text=input)) if input else Prompted()
        return self._prompted(self._question("tokenize", input, history, tools, None, variables))

    def _question(self, want: Any, input: Any, history: Any, tools: Tools | None, files: Any, variables: Mapping[str, Any]) -> PromptRequest:
        from ...runtime.inspecting.prompting import request_of

        if (kind := self._kind or self.type.lower()) not in CHATS:
            raise self._is_not("has no prompt to show", kind=kind)
        messages, own_tools = self._turns(contents.said(input, files), history, tools)
        given: dict[str, Any] = {}
        for source in (self._parameters, variables):
            given |= {k: v for k, v in source.items() if source is variables or k in _FOR_TEMPLATES}
            given |= dict(source.get("chat_template_kwargs") or {})
        given.pop("chat_template_kwargs", None)
        return replace(request_of(messages, own_tools, given), want=want)

    def _prompted(self, request: PromptRequest) -> Prompted:
        from ...runtime.inspecting import prompting

        endpoint = self._answering
        flavour = prompting.flavour_of(endpoint) if endpoint is not None else ""
        if endpoint is not None and flavour:
            return prompting.asked(endpoint, flavour, request)
        if not self.base_model:
            what = f"{self.name} cannot tell its prompts." if endpoint is not None else "No model was named."
            raise NotStarted(
                what, "Its server has no way to ask for them." if endpoint is not None else "", "Name the model: TrainableModule('path or name')."
            )
        told = default_parameters.template_values(self._told_defaults())
        return prompting.made(self._read_model(), replace(request, variables={**told, **request.variables}), self._template_text())

    def _told_defaults(self) -> Mapping[str, Any]:
        """``defaults=`` of the deployment that answers, else of the one that was chosen."""
        record = self._serving.record
        told = record.spec.payload.get("defaults") if record is not None and record.state.active else None
        return told or self._methods["deploy"].arguments.get("defaults") or {}

    def _read_model(self) -> Path:
        """The files that the engine would read: of a folder with a GGUF file that, where llama.cpp serves it."""
        from ...deploy.gguf_files import find_gguf

        model, chosen = self._model_path(), self._methods["deploy"]
        if not model.is_dir() or not any(model.glob("*.gguf")):
            return model
        if engines.engine_of(str(model), chosen) != "llama_cpp":
            return model
        return find_gguf(model, str(chosen.arguments.get("gguf") or "")) or model

    def _tell_of_no_template(self, plan: engines.Plan) -> None:
        """Say, before it is started, that a model to chat with has no chat template, and what its engine makes of that."""
        from ...runtime.inspecting.chat_templates import template_of

        told, engine = plan.spec.payload, plan.spec.backend
        if told["type"] not in CHATS or engine not in _WITHOUT or told.get("chat_template") or told["arguments"].get("chat_template"):
            return
        if not template_of(self._read_model()).text:
            fix = "Name one: deploy_method(…, chat_template='chatml')."
            warnings.warn(f"{self.name} has no chat template: {_WITHOUT[engine]}. {fix}", stacklevel=2)

    def _tell_advice(self, plan: engines.Plan) -> None:
        """Say, before it is started, what the engine finds of no use among the arguments."""
        advice = getattr(registry.get("deploy", plan.spec.backend)(), "advice", None)  # an engine of a plugin may have none
        if advice is not None and (told := advice(plan.spec.payload)):
            warnings.warn(told, stacklevel=2)

    def _tell_port(self, plan: engines.Plan) -> None:
        """Say, once it answers, that another port was taken than the one that was asked for: others may have been told that one."""
        asked, endpoint = int(plan.spec.payload.get("port") or 0), self._answering
        if not asked or endpoint is None or (url := urlsplit(endpoint.url)).port == asked:
            return
        from ...runtime.work import jobs

        there = (r for r in jobs.store().jobs("deploy", active=True) if r.endpoint and urlsplit(str(r.endpoint.get("url"))).port == asked)
        holder = next((f" by {r.name} ({r.id})" for r in there), "")
        warnings.warn(f"Port {asked} is taken{holder}: {self.name} answers at port {url.port}, {endpoint.url}.", stacklevel=2)

    def _template_text(self) -> str:
        """The template that stands for the model's own; empty where that counts."""
        from ...runtime.inspecting import template_checks

        record = self._serving.record
        chosen = self._methods["deploy"].arguments.get("chat_template")
        path = str(record.spec.payload.get("chat_template") or "") if record is not None and record.state.active else ""
        return template_checks.text_of(path or chosen)[0] if path or chosen else ""

    @property
    def _answering(self) -> Endpoint | None:
        """The endpoint, while it is there to be asked."""
        return self._serving.endpoint if self._serving.alive else None
