"""What to fine-tune and what to serve, as plain values that cross process borders as JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class DataRef:
    """A checked data set: ``format`` is ``alpaca``, ``sharegpt``, ``openai`` or another that `workbench.data` knows.

    ``path`` is the user's own file, or a JSONL file that the workbench wrote from rows; it is never changed.
    """

    path: str
    format: str
    rows: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class FinetuneSpec:
    """One fine-tuning run. All paths absolute. ``resume_from`` is a folder with checkpoints, or empty."""

    base_model: str
    target_path: str
    train: DataRef
    valid: DataRef | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    python: str = ""
    resume_from: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(d: Mapping[str, Any]) -> FinetuneSpec:
        valid = d.get("valid")
        return FinetuneSpec(**{**d, "train": DataRef(**d["train"]), "valid": DataRef(**valid) if valid else None})


@dataclass(frozen=True, slots=True)
class DeploySpec:
    """One served model.

    Attributes
    ----------
    model : str
        An absolute path (folder or GGUF file) or a hub name.
    type : str
        What kind of model it is, such as ``llm`` or ``embed``.
    served_name : str
        The name that callers use.
    arguments : Mapping
        The engine's, under its own names.
    port : int
        0 means any free one.
    python : str
        An interpreter that has the engine.
    ttl : float
        Seconds without a request after which the deployment ends by itself; 0 is never.
    restarts : int
        How often in a row an engine that died is started again.
    restart_hung : float
        After how many seconds an engine counts as dead that does nothing and does not answer; 0 is never.
    chat_template : str
        The absolute path of a template that stands for the model's own.
    defaults : Mapping
        Generation parameters of every request that does not give its own, under OpenAI's names.
    adapters : Mapping of str to str
        LoRA adapters to load at the start: the name callers use, and the folder's absolute path.
    variant : str
        Tells apart deployments that are alike in everything else.
    device : str
        ``cpu`` where the engine that serves it computes on the CPU although it is made for GPUs; empty otherwise.
    """

    model: str
    type: str = "llm"
    served_name: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    port: int = 0
    python: str = ""
    ttl: float = 0.0
    restarts: int = 3
    restart_hung: float = 0.0
    chat_template: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    adapters: Mapping[str, str] = field(default_factory=dict)
    variant: str = ""
    device: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(d: Mapping[str, Any]) -> DeploySpec:
        return DeploySpec(**d)

    def share_key(self, engine: str) -> str:
        """The same model, engine and arguments have the same key, and so one deployment."""
        asked = {k: v for k, v in self.to_json().items() if k not in ("ttl", "restarts", "restart_hung")}  # how long it lives, not what it is
        body = json.dumps([engine, asked], sort_keys=True, default=str)
        return "deploy-" + hashlib.sha256(body.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """A function, flow or module to serve over HTTP.

    Attributes
    ----------
    model : str
        What people call it.
    function : str
        Digest of what is served; it lies in ``files`` of the job's folder.
    files : tuple of str
        Files of the job's folder that the server needs.
    python_version : str
        The Python that it was pickled by, such as ``3.11``.
    paths : tuple of str
        Where that Python found modules.
    folder : str
        The working directory of whoever started it.
    stream : bool
        Whether it answers piece by piece those who do not say.
    host, port : str and int
        Where to listen; 0 is any free port.
    python, pythonpath : str
        Another interpreter, and folders to look for modules first.
    arguments : Mapping
        For people: what was chosen.
    """

    model: str
    function: str
    files: tuple[str, ...] = ()
    python_version: str = ""
    paths: tuple[str, ...] = ()
    folder: str = ""
    stream: bool = False
    host: str = "127.0.0.1"
    port: int = 0
    python: str = ""
    pythonpath: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "files": list(self.files), "paths": list(self.paths)}

    @staticmethod
    def from_json(d: Mapping[str, Any]) -> FunctionSpec:
        return FunctionSpec(**{**d, "files": tuple(d.get("files", ())), "paths": tuple(d.get("paths", ()))})

    def share_key(self) -> str:
        """The same function, served in the same way, has the same key, and so one deployment."""
        body = json.dumps(self.to_json(), sort_keys=True, default=str)
        return "function-" + hashlib.sha256(body.encode()).hexdigest()[:16]
