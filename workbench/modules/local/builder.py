"""`Builder`: the half of a `TrainableModule` that only notes what the user wants. Nothing is read, started or downloaded
here, except that a name nobody knows and a path to nothing are refused at once.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from ...core.jobs import Progress
from ...core.kinds import KINDS
from ...core.options import Option
from ...errors import ArgumentError, nearest
from ...providers import model_names
from ..streaming.printing import StreamOption
from ..typed.any_kind import AnyKind
from ..wishes import tries
from . import attaching, engines, training
from .methods import Method, method
from .serving import Serving
from .training import Tuning

if TYPE_CHECKING:
    import pandas as pd

Mode = Literal["finetune", "train"]


class Builder(AnyKind):
    """Base model, target, data and methods, set by methods that chain. The parameters are `TrainableModule`'s."""

    def __init__(
        self,
        base_model: str | Path | Option = "",
        target_path: str | Path = "",
        *,
        stream: StreamOption = False,
        return_trace: bool = False,
        trust_remote_code: bool = True,
        type: str | None = None,
        source: str | None = None,
        name: str = "",
    ) -> None:
        super().__init__(stream=stream, return_trace=return_trace, name=name)
        self._base_model: str | Option = base_model if isinstance(base_model, Option) else str(base_model)
        self.target_path = str(target_path)
        self._download, self._type, self._source = trust_remote_code, checked_type(type), source
        self._methods: dict[str, Method] = {"deploy": Method("deploy"), "finetune": Method("finetune"), "train": Method("finetune")}
        self._mode: Mode | None = None
        self._trainset: Any = None
        self._validset: Any = None
        self._tuning = Tuning()
        self._serving = Serving()
        self._shown_in: int | None = None
        self.progress = Progress()

    @property
    def base_model(self) -> str:
        """The model it begins with; of an option, the value that stands for it now."""
        return str(self._base_model.current) if isinstance(self._base_model, Option) else self._base_model

    @base_model.setter
    def base_model(self, value: str | Path) -> None:
        self._base_model = str(value)

    def _told_type(self) -> str:
        """The type that the base model's files tell, else its name; empty where neither does. A subclass looks."""
        return ""

    # ---- building

    @tries
    def trainset(
        self,
        trainset: str | Path | list[Any] | pd.DataFrame | Callable[[], Any],
        valid: str | Path | list[Any] | pd.DataFrame | None = None,
    ) -> Self:
        """Set what to train on, and what to validate with.

        Parameters
        ----------
        trainset : path, list, DataFrame or callable
            Alpaca, ShareGPT or OpenAI-messages rows; a JSON, JSONL, CSV or Parquet file. A callable gives them, or a
            pair of rows to train on and to validate with, when training starts.
        valid : path, list or DataFrame, optional
            Rows to measure ``eval_loss`` on.
        """
        if training.reads_data(self._methods[self._mode or "finetune"]):
            training.check_path(trainset)
        self._trainset, self._validset = trainset, training.check_path(valid)
        return self

    @tries
    def finetune_method(self, method_: Any, **arguments: Any) -> Self:
        """Set what fine-tunes, such as ``wb.finetune.llamafactory``, and its arguments under its own names.

        ``(method, {…})`` as a tuple is the same. A name that the method does not know is refused, with the nearest one, and so
        is a value that it cannot use. An `Option` as a value is for ``wb.TrialModule``, which tries them all.
        ``python=`` names an interpreter that has the trainer.
        """
        self._methods = {**self._methods, "finetune": method("finetune", method_, arguments, training.OWN_ARGUMENTS)}
        return self

    @tries
    def train_method(self, method_: Any, **arguments: Any) -> Self:
        """Set what trains in ``mode('train')``; like `finetune_method`."""
        self._methods = {**self._methods, "train": method("finetune", method_, arguments, training.OWN_ARGUMENTS)}
        return self

    @tries
    def deploy_method(self, method_: Any, **arguments: Any) -> Self:
        """Set what serves, such as ``wb.deploy.llama_cpp``, and its arguments under its own names; None serves nothing.

        Dashes and the short names that peers use (``tp``) are taken as well; a name that nobody knows is refused, with the nearest.
        Our own arguments, for every engine: ``port=`` asks for a port, ``python=`` names an interpreter that has the engine,
        ``ttl=`` ends the deployment after so many seconds without a request, ``restarts=`` says how often a dead engine is started
        again and ``restart_hung=`` after how many seconds one counts as dead that does nothing, ``chat_template=`` and ``defaults=``
        (generation parameters) stand for the model's own, ``adapters=`` loads LoRA adapters, ``variant=`` makes a second deployment of the
        same, ``replace=True`` ends the one with other arguments, ``check_fit=False`` starts a model that seems too large. ``url=`` attaches
        to a server that runs already, in OpenAI's form or vLLM's own, and ``key_env=`` names the variable that holds its key (``api_key=``
        is the key itself, kept in this process only). Whatever is deployed speaks
        OpenAI's form; ``openai_api=`` is taken and changes nothing.
        """
        chosen = engines.chosen(method_, arguments)
        self._methods = {**self._methods, "deploy": chosen}
        if "url" in chosen.arguments:
            self._serving = Serving()
            self._attach()
        return self

    def _attach(self) -> None:
        """Answer through the address that the user gave."""
        chosen = self._methods["deploy"]
        if self._serving.endpoint is None:
            endpoint, kind = attaching.attached(str(chosen.arguments["url"]), self.base_model, chosen)
            self._serving.attach(endpoint, self._told_type() or kind or "llm")

    @tries
    def mode(self, mode: Mode) -> Self:
        """Set what `update` does before it deploys: ``finetune`` (which a training set alone means too) or ``train``."""
        if mode not in ("finetune", "train"):
            raise ArgumentError(f"mode cannot be {mode!r}.", "", "Write mode('finetune') or mode('train').")
        self._mode = mode
        return self

    def _method_options(self) -> list[Option]:
        return [option for chosen in self._methods.values() for option in chosen.options]


def checked_type(type: str | None) -> str:
    """The one name of a type that a user gave; empty for none."""
    kind = model_names.canonical(type or "")
    if kind and kind not in KINDS:
        near = nearest(kind, KINDS)
        raise ArgumentError(f"There is no type {type!r}.", f"{near!r} is the nearest." if near else "", f"Choose one of: {', '.join(KINDS)}.")
    return kind
