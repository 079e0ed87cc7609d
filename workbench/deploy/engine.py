"""`Engine`: what the engines that serve models have in common: names, arguments that are checked, the words of their ends.

An engine turns a `DeploySpec` into stages; it starts nothing and knows no client.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from ..core.jobs import Failure
from ..core.protocols import JobPlace, Stage
from ..core.specs import DeploySpec
from ..errors import ArgumentError, unknown_argument
from . import quantization, retired
from .common import check_spec, explain_end


class Engine:
    """Base of the engines.

    Attributes
    ----------
    name, title : str
        The name in the registry group ``deploy``, and what people read.
    environment : str
        Whose interpreter runs it (see `workbench.envs`).
    needs_model : bool
        Whether it serves files of a model.
    types : tuple of str
        The types of models that it serves.
    one_server : tuple of str
        Those among them that one server serves at once: they share a deployment, under the first of them.
    takes : frozenset of str
        Which of ``adapters`` and ``chat_template`` mean something to it; others are refused.
    aliases : Mapping of str to str
        Other names that people know for its arguments, such as ``tp``, and the engine's own.
    retired : Mapping of str to str
        Names of arguments that it had once, and what to write instead, as a sentence.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    environment: ClassVar[str] = ""
    needs_model: ClassVar[bool] = True
    types: ClassVar[tuple[str, ...]] = ("llm",)
    one_server: ClassVar[tuple[str, ...]] = ()
    takes: ClassVar[frozenset[str]] = frozenset({"adapters", "chat_template"})
    aliases: ClassVar[Mapping[str, str]] = {}
    retired: ClassVar[Mapping[str, str]] = {}

    def __init__(self, *given: Any, **arguments: Any) -> None:
        """Takes nothing: what people write here elsewhere has its place in ``deploy_method``."""
        if given or arguments:
            place = "".join(f", {name}=…" for name in arguments)
            fix = f"Write TrainableModule('…').deploy_method(wb.deploy.{self.name}{place}).start()."
            raise ArgumentError(f"deploy.{self.name} is named, not called.", "A deployment belongs to a module, which knows the model.", fix)

    @classmethod
    def arguments(cls) -> list[str]:
        """The names of its arguments, in the engine's own spelling."""
        raise NotImplementedError

    @classmethod
    def known(cls) -> set[str]:
        """Every name that `settle` takes."""
        return {*cls.arguments(), *cls.aliases, *(quantization.NAMES if cls.name in quantization.SPELLINGS else ())}

    @classmethod
    def unknown(cls, name: str, known: Collection[str]) -> ArgumentError:
        """The error for a name that it does not take: with the nearest one, or what took its place."""
        if instead := cls.retired.get(name.strip("-").replace("-", "_")):
            return ArgumentError(f"{cls.title or cls.name} has no argument {name!r} any more.", "", instead)
        if instead := retired.instead(name):
            return ArgumentError(f"deploy.{cls.name} takes no argument {name!r}.", "", instead)
        return unknown_argument(f"deploy.{cls.name}", name, known)

    @classmethod
    def settle(cls, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments under the engine's own names: either spelling (``max-model-len``) and peers' short names are taken, and
        ``quantization`` as people write it (see `workbench.deploy.quantization`).

        Raises
        ------
        ArgumentError
            For a name that it does not know, with the nearest one, and for one that is given twice under two names.
        """
        known = set(cls.arguments())
        arguments = quantization.settle(cls.name, frozenset(known), arguments)
        out: dict[str, Any] = {}
        given: dict[str, str] = {}
        for name, value in arguments.items():
            plain = name.strip("-").replace("-", "_")
            own = plain if plain in known else cls.aliases.get(plain, plain)
            if own not in known:
                raise cls.unknown(name, cls.known())
            if own in out:
                raise ArgumentError(f"deploy.{cls.name} was given {given[own]} and {name}.", "They are the same argument.", "Give one of them.")
            out[own], given[own] = value, name
        return out

    def check(self, payload: Mapping[str, Any]) -> None:
        """Refuse unknown arguments, types it does not serve, an impossible port and a model that is not there."""
        self.checked(payload)

    def checked(self, payload: Mapping[str, Any]) -> DeploySpec:
        """The spec with its arguments under the engine's own names. Raises what `check` raises."""
        spec = DeploySpec.from_json(payload)
        spec = replace(spec, arguments=self.settle(spec.arguments))
        for name, what in (("adapters", "LoRA adapters"), ("chat_template", "chat template")):
            if getattr(spec, name) and name not in self.takes:
                able = "Leave it out" + (", or serve with wb.deploy.vllm." if name == "adapters" and spec.type == "llm" else ".")
                raise ArgumentError(f"deploy.{self.name} takes no {what}.", f"{name}={getattr(spec, name)!r} would change nothing.", able)
        return check_spec(f"deploy.{self.name}", spec.to_json(), self.arguments(), self.types)

    def advice(self, payload: Mapping[str, Any]) -> str:
        """What is served as asked and yet of no use, in a sentence; empty where nothing is."""
        return ""

    def plan(self, payload: Mapping[str, Any], place: JobPlace) -> Sequence[Stage]:
        """The processes to run, one after the other."""
        raise NotImplementedError

    def command(self, payload: Mapping[str, Any]) -> list[str]:
        """The line that is run, for people to read and to run by hand: ``{port}`` and ``{key}`` stand for what is chosen at the start.

        The engine's own command line where there is one, else our runner's.
        """
        spec = self.checked(payload)
        stages = self.plan(spec.to_json(), JobPlace("job", Path("job")))
        return ["python", *stages[-1].argv]

    def result(self, payload: Mapping[str, Any], place: JobPlace) -> Mapping[str, Any]:
        """A deployment leaves nothing behind."""
        return {}

    def explain(self, stage: str, exit_code: int | None, log_tail: str) -> Failure:
        """Why a stage failed, and what to do."""
        return explain_end(self.title or self.name, exit_code, log_tail)

    @classmethod
    def refused(cls, words: str) -> str:
        """What to do about a request that it refused with these words, where one of its arguments decides that; empty where not."""
        return ""


def line(command: Sequence[str]) -> str:
    """A command as a shell takes it."""
    return shlex.join(command).replace("'{port}'", "{port}").replace("'{key}'", "{key}")
