"""`TrainableModule`: a model by name, to talk to, fine-tune, deploy and evaluate. Ties the parts together: `builder` (what
the user wants), `tuned` (which model that is), `training` (the job for it), `engines` and `serving` (what answers), `views`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, overload

from ...core.endpoints import Endpoint
from ...core.jobs import JobRecord, JobSpec, Progress
from ...errors import ArgumentError, EndpointError, JobError, ModelNotFound, NotStarted
from .. import views
from . import attaching, engines, training
from .adapted import Adapted
from .exact_prompt import ExactPrompt
from .methods import NONE
from .tended import Tended
from .training_job import TrainsByJob

if TYPE_CHECKING:
    from ...runtime.work.job import Job
    from .deploy_plan import DeployPlan

Task = Literal["deploy", "finetune"]


class TrainableModule(TrainsByJob, Tended, Adapted, ExactPrompt):
    """A model that can be talked to, fine-tuned, deployed and evaluated.

    Parameters
    ----------
    base_model : str
        ``'pocket'`` (the small model that ships), a path, a name under the model folders, or a name on the hub.
    target_path : str, optional
        Where fine-tuned models go; relative paths lie under the setting ``train_target_root``. A further run gets a number.
    stream : bool or dict, optional
        Print every answer while it comes.
    return_trace : bool, optional
        As in `ModuleBase`.
    trust_remote_code : bool, optional
        False never downloads.
    type : str, optional
        What kind of model it is (``llm``, ``embed``, …); told from its files when not given.
    source : str, optional
        The hub to download from: ``huggingface`` or ``modelscope``; the setting ``model_source`` when not given.
    name : str, optional
        What people see; the target's or the model's name when not given.

    Examples
    --------
    >>> m = TrainableModule('pocket').start()
    >>> m('What can you do?')
    >>> t = (TrainableModule('pocket', 'mine')
    ...        .finetune_method(wb.finetune.llamafactory, num_train_epochs=2)
    ...        .trainset('rows.jsonl').mode('finetune'))
    >>> t.update()
    """

    # ---- how it stands

    @property
    def endpoint(self) -> Endpoint:
        """Where it answers. Raises `NotStarted` before `start`."""
        endpoint = self._serving.endpoint
        if endpoint is None:
            if self._methods["deploy"].name == NONE:
                raise NotStarted(f"{self.name} is not deployed.", "It was told so: deploy_method(None).", "Choose one, such as wb.deploy.auto.")
            raise NotStarted(f"{self.name} is not deployed.", "It was asked before it was started.", "Type start() on it first.")
        if not endpoint.model and not endpoint.job_id:
            self._serving.endpoint = endpoint = attaching.settled(endpoint)  # its server was not up when it was attached to
        return self._with_adapter(endpoint)

    @property
    def engine(self) -> str:
        """What serves it: the deployment's engine while there is one, else the chosen method."""
        record = self._serving.record
        return record.spec.backend if record else self._methods["deploy"].name

    @property
    def state(self) -> str:
        """``idle``, or the state of the deployment; ``running`` is: it answers."""
        record = self._serving.record
        if record is not None:
            return str(record.state)
        return "running" if self._serving.endpoint is not None else "idle"

    def status(self, task: Task | None = None) -> str:
        """The state of the deployment (``deploy``, the default) or of the last fine-tuning (``finetune``)."""
        if _checked(task) != "finetune":
            return self.state
        job = self.job
        return str(job.state) if job else "idle"

    def log_path(self, task: Task | None = None) -> str:
        """The file that the deployment (``deploy``, the default) or the last fine-tuning (``finetune``) writes its output to."""
        from ...runtime.work import jobs

        job = self.job if _checked(task) == "finetune" else self.deployment
        if job is None:
            raise NotStarted(f"{self.name} has no log yet.", "Nothing was started.", "Call update() or start() first.")
        return str(jobs.store().place(job.id).log)

    def stop(self, task: Task | None = None, *, recursive: bool = True) -> None:
        """End the deployment (``deploy``, the default), for everybody who uses it, or the fine-tuning (``finetune``)."""
        if _checked(task) == "finetune":
            job = self.job
            if job is None:
                raise NotStarted(f"{self.name} is not being fine-tuned.", "", "Call update() first.")
            job.stop()
            return
        if task == "deploy" and self._serving.endpoint is None and not self._serving.shown_id:
            raise NotStarted(f"{self.name} is not deployed.", "There is nothing to stop.", "Type start() on it first.")
        super().stop(recursive=recursive)

    # ---- deploying

    @overload
    def start(self, *, dry_run: Literal[False] = False, recursive: bool = True) -> Self: ...

    @overload
    def start(self, *, dry_run: Literal[True], recursive: bool = True) -> DeployPlan: ...

    def start(self, *, dry_run: bool = False, recursive: bool = True) -> Self | DeployPlan:
        """Deploy whatever has to be served, side by side; what runs already stays.

        Parameters
        ----------
        dry_run : bool, optional
            Start, download and build nothing, and return the `DeployPlan`: which engine and why, the environment and whether it is there,
            the command line, what would be written, whether it fits, and which deployment would be shared or replaced.

        Raises
        ------
        ArgumentError, ModelNotFound, JobFailed
            What cannot work is refused before anything is started; an engine that does not come up tells its last lines.
        """
        if not dry_run:
            return super().start(recursive=recursive)
        from . import deploy_plan

        return deploy_plan.dry_run(self._planned("dry-run"), self.name)

    def deploy_command(self) -> str:
        """The exact line that `start` runs the engine with, to paste into a shell.

        The variables that matter stand before it; ``{port}`` and ``{key}`` stand for what is chosen at the start.
        """
        from . import deploy_plan

        return deploy_plan.command(self._planned("show").spec)

    def _planned(self, what: str) -> engines.Plan:
        """The deployment, with nothing downloaded."""
        method = self._methods["deploy"]
        if method.name == NONE or "url" in method.arguments:
            cause = "It was told deploy_method(None)." if method.name == NONE else f"It answers through {method.arguments['url']}."
            raise ArgumentError(f"{self.name} has nothing to {what}.", cause, "Choose an engine with deploy_method(…).")
        try:
            return self._plan(download=False)
        except ModelNotFound as e:
            if not self._download or "/" not in self.base_model or Path(self.base_model).is_absolute():
                raise
            cause = f"Nothing is downloaded here. {e.cause}"
            raise ModelNotFound(
                f"{self.base_model} is not on this machine.", cause, "start() downloads it first. Or give the path of its folder."
            ) from None

    def attach(self, job: Job | str) -> Self:
        """Answer through a deployment that runs already, given by its job, id or name; stopping this one stops it."""
        from ...runtime.deployments.deployment import find
        from ...runtime.deployments.endpoints import endpoint_of

        endpoint = endpoint_of(find(job) if isinstance(job, str) else job.record)
        if endpoint.dialect == "function":
            raise ArgumentError(f"{endpoint.model} is a served function, not a model.", "", f"Write wb.UrlModule(url={endpoint.model!r}).")
        self._serving.attach(endpoint)
        views.started(self)
        return self

    def _announce_deploy(self) -> None:
        method = self._methods["deploy"]
        if method.name == NONE or "url" in method.arguments or not self._tuning.awaited:
            return
        plan = self._plan(download=False)
        if not plan.start.get("replace") and not self._serving.serves(plan.spec):
            _ensure_fits(plan)
            self._serving.announce(plan.spec)

    def _plan(self, download: bool = True, on_progress: Callable[[Progress], None] | None = None) -> engines.Plan:
        method = self._methods["deploy"]
        model = str(self._model_path(download, on_progress)) if engines.needs_model(method) else self.base_model
        plan = engines.plan(model, method, self._type)
        self._check_prompted(str(plan.spec.payload["type"]))
        return plan

    def _rechosen(self) -> bool:
        return not self._serving.is_of(self._plan().spec)

    def _withdraw_deploy(self) -> None:
        self._serving.withdraw()

    def _deploy(self) -> None:
        if self._methods["deploy"].name == NONE:
            return
        if "url" in self._methods["deploy"].arguments:
            self._attach()
            return
        if self._tuning.job_id and not self._tuning.awaited:
            job = self.job
            if job is not None and job.state.active:
                raise JobError(f"{self.name} is still being fine-tuned.", "", "Call wait() first, or stop('finetune').", job_id=job.id)
            self._await_training()
        from ...runtime.deployments.replacing import makes_room

        began = time.monotonic()
        with views.starting(self) as show:

            def progressed(progress: Progress) -> None:
                self.progress = progress
                show(progress)

            try:
                plan = self._plan(on_progress=progressed)
                replace = bool(plan.start.get("replace"))
                if not replace and self._serving.serves(plan.spec):
                    show.ready(f"{self.name} runs already · {plan.engine}")
                else:
                    first = makes_room(plan.spec, replace=replace, check=bool(plan.start.get("check_fit", True)))
                    self._tell_of_no_template(plan)
                    self._tell_advice(plan)
                    progressed(Progress("start", f"Starting {self.name} with {plan.why}"))
                    private = bool(self.finetuned_model_path)
                    self._serving.start(plan.spec, lambda record: progressed(record.progress), private=private, replace=replace, first=first)
                    show.ready(f"{self.name} is ready · {plan.why} · {time.monotonic() - began:.1f} s")
                    self._tell_port(plan)
            finally:
                self.progress = Progress()  # also when nothing came up: what is shown goes by it
        views.started(self)

    def _undeploy(self) -> None:
        self._serving.stop()

    def _explained(self, error: EndpointError) -> EndpointError:
        endpoint = self._serving.endpoint
        told = self._unloaded(self._serving.explained(error, self.name))
        return told if endpoint is None else attaching.explained(told, endpoint)

    # ---- fine-tuning

    def _training(self) -> JobSpec | None:
        chosen = self._methods[self._mode or "finetune"]
        if self._trainset is None and (self._mode is None or (not self.base_model and training.reads_data(chosen))):
            return None
        if self._trainset is None and training.reads_data(chosen):
            cause = f"Its mode is {self._mode!r}, but no training set was given."
            raise ArgumentError(f"{self.name} has nothing to train on.", cause, "Give rows with trainset(…).")
        if chosen.name == NONE:
            raise ArgumentError(f"{self.name} is to be fine-tuned with nothing.", "It was told finetune_method(None).", "Name a method.")
        wish = training.Wish(self.base_model, self.target_path, chosen, self._trainset, self._validset, self._type or "")
        return training.finetune_spec(wish, self._base_path() if engines.needs_model(chosen) else Path(self.base_model))

    def _trained(self, record: JobRecord) -> None:
        self._tuning.model = str(record.result.get("model", ""))  # a dry run makes none

    # ---- views

    def __repr__(self) -> str:
        return (
            f"<Module type=Trainable mode={self._mode} basemodel={self.base_model} target={self.target_path} name={self.name} "
            f"deploy_type={self._methods['deploy'].name} stream={self._stream} return_trace={self.return_trace}>"
        )

    def _ipython_display_(self) -> None:
        if not views.take_card(self):
            raise NotImplementedError  # IPython then asks for the bundle

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return views.card_bundle(self, include, exclude)


def _ensure_fits(plan: engines.Plan) -> None:
    """Refuse what would run out of memory, unless it was told to try."""
    from ...runtime.deployments.fit import ensure_fits

    if plan.start.get("check_fit", True):
        ensure_fits(plan.spec)


def _checked(task: str | None) -> str | None:
    if task not in (None, "deploy", "finetune"):
        raise ArgumentError(f"There is no task {task!r}.", "", "Write 'deploy' or 'finetune'.")
    return task
