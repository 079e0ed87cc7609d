"""What `start` would do, without doing it: the command line of a deployment, and a `DeployPlan` for people. Starts, downloads and builds nothing."""

from __future__ import annotations

import html
import json
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import registry
from ...core.jobs import JobSpec
from ...core.protocols import JobPlace, Stage
from ...deploy.engine import line
from ...errors import EnvironmentFailed, WorkbenchError

if TYPE_CHECKING:
    from .engines import Plan

_PLACE = JobPlace("job", Path("job"))
# What is set for the peace of mind of everybody, and changes no answer.
_QUIET = frozenset(
    {
        "DO_NOT_TRACK",
        "HF_HUB_OFFLINE",
        "PYTHONUNBUFFERED",
        "TOKENIZERS_PARALLELISM",
        "TRANSFORMERS_OFFLINE",
        "VLLM_NO_USAGE_STATS",
        "VLLM_RPC_BASE_PATH",
        "WORKBENCH_VLLM_CPU",
    }
)


@dataclass(frozen=True, slots=True)
class DeployPlan:
    """What `start` would do. Shown as a table in a notebook and as lines elsewhere.

    Attributes
    ----------
    name, model, type : str
        What people see, the path of what would be served, and its kind.
    engine, why : str
        The engine, and the reason for it.
    environment : str
        Whose interpreters would run it, and whether they are there.
    ready : bool
        Whether they all are: else one is built first, or asked for.
    command : str
        The line that would be run, to paste into a shell: ``{port}`` and ``{key}`` stand for what is chosen at the start.
    steps : tuple of str
        The processes, one after the other.
    files : tuple of str
        What would be written: into the deployment's folder, and elsewhere by its path.
    shares : str
        The name and id of the deployment that is there already and would be used; empty where a new one is made.
    replaces : tuple of str
        The names and ids of those that would end for it.
    fit : object or None
        Whether it fits into memory, where that can be said; a `workbench.deploy.fit.Fit`.
    """

    name: str
    model: str
    type: str
    engine: str
    why: str
    environment: str
    ready: bool
    command: str
    steps: tuple[str, ...]
    files: tuple[str, ...]
    shares: str = ""
    replaces: tuple[str, ...] = ()
    fit: Any = None

    def lines(self) -> list[tuple[str, str]]:
        """What people read: a heading, and what it says."""
        rows = [
            ("model", f"{self.model} ({self.type})"),
            ("engine", self.why or self.engine),
            ("environment", self.environment),
            ("does", " → ".join(self.steps)),
            ("command", self.command),
            ("writes", ", ".join(self.files)),
            ("fit", _fit_text(self.fit)),
            ("shares", f"{self.shares}, which is there already" if self.shares else ""),
            ("replaces", ", ".join(self.replaces)),
        ]
        return [(head, text) for head, text in rows if text]

    def __str__(self) -> str:
        rows = self.lines()
        wide = max(len(head) for head, _ in rows)
        return "\n".join([f"{self.name}: a dry run, nothing was started", *(f"  {head:<{wide}}  {text}" for head, text in rows)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        cell = "text-align:left;vertical-align:top;padding:2px 12px 2px 0;white-space:pre-wrap;overflow-wrap:anywhere"
        body = "".join(
            f'<tr><th scope="row" style="{cell};white-space:nowrap">{head}</th><td style="{cell}">{_cell(head, text)}</td></tr>'
            for head, text in self.lines()
        )
        name = html.escape(self.name)
        return f'<table aria-label="Dry run of {name}"><caption>{name}: a dry run, nothing was started</caption><tbody>{body}</tbody></table>'


def _fit_text(fit: Any) -> str:
    if fit is None:
        return ""
    return f"{fit}; {fit.fix} would make it fit" if not fit.fits and fit.fix else str(fit)


def _cell(head: str, text: str) -> str:
    return f"<code>{html.escape(text)}</code>" if head == "command" else html.escape(text)


def command(spec: JobSpec) -> str:
    """The line of a deployment, for a shell. Its variables stand before it, ``{port}`` and ``{key}`` for what is chosen at the start.

    Where the engine has no command line of its own, or its program is not on this machine, it is that of our runner, with the file that it
    reads; ``{key_file}`` is a file with a key.
    """
    backend = registry.get("deploy", spec.backend)()
    stage = list(backend.plan(spec.payload, _PLACE))[-1]
    python = str(spec.payload.get("python") or "")
    own, of = ["python", *stage.argv], getattr(backend, "command", None)
    words = list(of(spec.payload)) if of is not None else own
    if not _is_there(words[0], stage.environment, python):
        words = own
    variables, before = _variables(stage), ""
    if words[1:] == list(stage.argv) and words[-1].startswith("../"):
        file = words[-1].removeprefix("../")
        text = json.dumps(json.loads(stage.files[file]), ensure_ascii=False)
        before, words[-1] = f"printf %s {shlex.quote(text)} > {file} && ", file
        variables["WORKBENCH_KEY_FILE"] = "{key_file}"
    words[0] = _program(words[0], stage.environment, python)
    shown = "".join(f"{name}={value if value.startswith('{') else shlex.quote(value)} " for name, value in variables.items())
    told = f"{before}{shown}{line(words)}"
    return told.replace("{port}", str(port)) if (port := int(spec.payload.get("port") or 0)) else told


def _is_there(name: str, environment: str, python: str) -> bool:
    """Whether a program could be run, as far as it is known: an environment that is not built yet will have it."""
    interpreter = _interpreter(environment, python)
    return interpreter is None or name == "python" or (interpreter.parent / name).exists() or shutil.which(name) is not None


def _program(name: str, environment: str, python: str) -> str:
    """The program's place in the environment that runs it, where that is there."""
    interpreter = _interpreter(environment, python)
    if interpreter is None:
        return name
    beside = interpreter.parent / name
    return str(interpreter if name == "python" else beside if beside.exists() else name)


def _variables(stage: Stage) -> dict[str, str]:
    """The variables of a stage that matter to people. Those of an engine that is a command line are in the file that its runner reads."""
    spec: Mapping[str, Any] = {}
    for text in stage.files.values():
        found = json.loads(text) if text.startswith("{") else {}
        if "argv" in found:
            spec = found
    given = {**stage.env, **{name: value for name, value in (spec.get("env") or {}).items() if value is not None}}
    shown = {name: str(value) for name, value in given.items() if name not in _QUIET}
    return {**shown, **({str(spec["key_env"]): "{key}"} if spec.get("key_env") else {})}


def dry_run(plan: Plan, name: str) -> DeployPlan:
    """What `start` would do with this plan."""
    spec = plan.spec
    backend = registry.get("deploy", spec.backend)()
    stages = list(backend.plan(spec.payload, _PLACE))
    python = str(spec.payload.get("python") or "")
    places = {stage.environment: _environment(stage.environment, python if stage is stages[-1] else "") for stage in stages}
    shared = _shared(spec)
    return DeployPlan(
        name=name,
        model=str(spec.payload.get("model", "")),
        type=str(spec.payload.get("type", "")),
        engine=plan.engine,
        why=plan.why,
        environment="; ".join(text for text, _ in places.values()),
        ready=all(there for _, there in places.values()),
        command=command(spec),
        steps=() if shared else tuple(stage.title for stage in stages),
        files=() if shared else tuple(sorted({file for stage in stages for file in (*stage.files, *_targets(stage))})),
        shares=shared,
        replaces=() if shared or not plan.start.get("replace") else _replaced(spec),
        fit=_fit(plan),
    )


def _targets(stage: Stage) -> list[str]:
    """What a stage makes outside the job's folder."""
    found = [json.loads(text).get("target") for text in stage.files.values() if text.startswith("{")]
    return [str(target) for target in found if target]


def _environment(name: str, python: str) -> tuple[str, bool]:
    from ...envs import choice

    try:
        found = choice.found(name, python)
    except EnvironmentFailed as e:
        return f"{name}, which is not there. {' '.join(filter(None, (e.what, e.cause, e.fix)))}", False
    interpreter = _interpreter(name, python)
    if interpreter is not None:
        return f"{name if isinstance(found, Path) else found.name}, in {interpreter}", True
    assert not isinstance(found, Path)
    return f"{found.name}, which would be built first ({', '.join(found.requirements[:2])}, …)", False


def _interpreter(name: str, python: str) -> Path | None:
    """The interpreter of an environment that is there."""
    from ...envs import build, choice

    try:
        found = choice.found(name, python)
    except EnvironmentFailed:
        return None
    if isinstance(found, Path):
        return found
    folder = build.ready(found)
    return build.python_of(folder) if folder is not None else None


def _shared(spec: JobSpec) -> str:
    from ...runtime.work import jobs

    alive = jobs.store().jobs(kind="deploy", active=True)
    return next((_called(r.name, r.id) for r in alive if r.spec.share_key == spec.share_key and not r.cancel_requested), "")


def _replaced(spec: JobSpec) -> tuple[str, ...]:
    from ...runtime.deployments import joining

    return tuple(_called(r.name, r.id) for r in joining.others(spec))


def _called(name: str, job_id: str) -> str:
    return f"{name} ({job_id})"


def _fit(plan: Plan) -> Any:
    """Whether it fits, where somebody can tell."""
    from ...core.specs import DeploySpec
    from ...runtime.deployments.fit import fit_of

    try:
        return fit_of(DeploySpec.from_json(plan.spec.payload), plan.spec.backend)
    except WorkbenchError:
        return None
