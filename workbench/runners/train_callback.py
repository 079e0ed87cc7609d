"""The callback that reports a transformers Trainer's steps and obeys commands. Does not know which trainer runs it.

Imported by `train` when ``transformers.trainer`` is there. All processes of a distributed run agree on a command at the
same step: one that stops alone leaves the others waiting for ever.
"""

from __future__ import annotations

import os
import sys
import time
from types import ModuleType
from typing import Any

_PAUSE = 2  # its place among the flags that processes agree on: stop, save, pause
_PAUSE_SECONDS = 0.1
_SUMMARY = ("train_runtime", "train_samples_per_second", "num_input_tokens_seen")
_NOISE = {"num_input_tokens_seen", "train_runtime", "train_tokens_per_second"}  # counted from the start, not for the step


class EvaluationLeft(Exception):
    """An evaluation was left because the training should stop."""


def install(trainer_module: Any, run: Any) -> None:
    """Make every Trainer report to the run, and leave an evaluation early when it should stop.

    A trainer that ends with an evaluation of its own is given the measured values where this model was just evaluated.
    """
    trainer_module.DEFAULT_CALLBACKS.append(make_callback(trainer_module.TrainerCallback, run))
    trainer = trainer_module.Trainer
    evaluate = trainer.evaluate
    last: tuple[tuple[int, int], dict[str, Any]] = ((0, -1), {})

    def leaving_evaluate(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal last
        if not run.training and (run.stopped or last[0] == (id(self), self.state.global_step)):
            return last[1] or {"epoch": self.state.epoch}  # after a stop, or once more what was measured at the last step
        try:
            metrics = evaluate(self, *args, **kwargs)
            last = (id(self), self.state.global_step), dict(metrics)
            return metrics
        except EvaluationLeft:
            self.control.should_evaluate = False
            self.control.should_save = self.control.should_training_stop = self.control.should_epoch_stop = True
            return {}

    trainer.evaluate = leaving_evaluate


def make_callback(base: type, run: Any) -> type:
    """The callback's class; its base is only there once the trainer's packages are imported."""

    class WorkbenchCallback(base):  # type: ignore[misc]  # see the docstring above
        def __init__(self) -> None:
            self.report = run.report
            self.paused = self.save = False
            self.last_time, self.last_tokens = time.perf_counter(), 0

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:
            run.training = True
            parameters = trainable = 0
            for p in kwargs["model"].parameters() if kwargs.get("model") is not None else ():
                parameters += p.numel()
                trainable += p.numel() if p.requires_grad else 0
            self.last_time, self.last_tokens = time.perf_counter(), state.num_input_tokens_seen or 0
            self.report.event(
                "begin",
                step=state.global_step,
                max_steps=state.max_steps,
                parameters=parameters,
                trainable=trainable,
                device=str(args.device),
            )
            return control

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:
            self.listen(args)
            if self.save:
                self.save, control.should_save = False, True
            if run.stopped:
                self.stop(control)
            elif self.paused:
                control.should_log = True  # the pause is in `on_log`: the step that it follows is shown first
            if not control.should_log:
                self.metric(state, {"learning_rate": rate(kwargs.get("lr_scheduler"))})
            return control

        def stop(self, control: Any) -> None:
            control.should_training_stop = control.should_epoch_stop = control.should_save = control.should_log = True
            control.should_evaluate = False

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> Any:
            values = dict(logs or {})
            epoch = values.pop("epoch", state.epoch)
            if "train_samples_per_second" in values:
                self.report.event("result", values={k: values[k] for k in _SUMMARY if k in values})
            elif any(k.startswith("eval_") for k in values):
                self.metric(state, {k: v for k, v in values.items() if k not in _NOISE and not k.endswith(("_runtime", "_per_second"))}, epoch)
            else:
                kept = {k: v for k, v in values.items() if k not in _NOISE}
                self.metric(state, kept | self.speed(state) | memory(), epoch)
                if self.paused and not run.stopped:
                    self.wait(args, state, control)
            return control

        def on_prediction_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            """Where nobody else waits for this process, an evaluation is left at once; the choice of a best model needs it to the end."""
            self.hear()
            if run.stopped and run.training and args.world_size == 1 and args.metric_for_best_model is None:
                raise EvaluationLeft

        def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.last_time = time.perf_counter()  # speed is that of training steps

        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            path = os.path.join(os.path.abspath(args.output_dir), f"checkpoint-{state.global_step}")
            self.report.event("checkpoint", step=state.global_step, path=path)
            self.last_time = time.perf_counter()

        def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            run.training = False
            if run.stopped:
                self.report.event(
                    "notice", level="info", text=f"Stopped after step {state.global_step} of {state.max_steps}; a checkpoint was saved."
                )

        def metric(self, state: Any, values: dict[str, Any], epoch: Any = None) -> None:
            epoch = state.epoch if epoch is None else epoch
            self.report.event("metric", step=state.global_step, max_steps=state.max_steps, epoch=epoch, values=values)

        def speed(self, state: Any) -> dict[str, Any]:
            now, tokens = time.perf_counter(), state.num_input_tokens_seen or 0
            seconds, self.last_time = now - self.last_time, now
            new, self.last_tokens = tokens - self.last_tokens, tokens
            return {"tokens_per_second": new / seconds} if new > 0 and seconds > 0 else {}

        def listen(self, args: Any) -> None:
            """Hear commands and agree on them with the other processes."""
            self.hear()
            run.stopped, self.save, self.paused = agree([run.stopped, self.save, self.paused], args)

        def hear(self) -> None:
            for command in self.report.commands():
                if command == "stop":
                    run.stopped = True
                elif command == "save":
                    self.save = True
                elif command in ("pause", "resume"):
                    self.paused = command == "pause"

        def wait(self, args: Any, state: Any, control: Any) -> None:
            """Stay at this step until told to go on, or to stop."""
            self.report.event("progress", phase="paused", text="Paused", done=state.global_step, total=state.max_steps, unit="steps")
            while self.paused and not run.stopped:
                time.sleep(_PAUSE_SECONDS)
                self.listen(args)
            if self.save:
                self.save, control.should_save = False, True
            if run.stopped:
                self.stop(control)
            self.last_time = time.perf_counter()
            self.report.event("notice", level="info", text=f"Went on after a pause at step {state.global_step}.")

    return WorkbenchCallback


def agree(flags: list[bool], args: Any) -> list[bool]:
    """The flags that all processes go by. Stop and save: any process may ask. Pause: the first process, which hears commands, decides."""
    if args.world_size <= 1:
        return flags
    import torch
    import torch.distributed as dist

    if not (dist.is_available() and dist.is_initialized()):
        return flags
    mine = torch.tensor([int(f) for f in flags], dtype=torch.int32, device=args.device)
    if dist.get_rank() != 0:
        mine[_PAUSE] = 0
    dist.all_reduce(mine, op=dist.ReduceOp.MAX)
    return [bool(f) for f in mine.tolist()]


def rate(scheduler: Any) -> float | None:
    """The learning rate now, where the scheduler can tell."""
    try:
        return float(scheduler.get_last_lr()[0])
    except (AttributeError, IndexError, TypeError, AssertionError):
        return None


def memory() -> dict[str, int]:
    """Bytes in use: of the GPU by torch, or of this process."""
    torch: ModuleType | None = sys.modules.get("torch")
    try:
        if torch is not None and torch.cuda.is_initialized():
            return {"memory": torch.cuda.memory_reserved()}
    except (AttributeError, RuntimeError):
        return {}
    try:
        with open("/proc/self/statm", "rb") as file:
            return {"memory": int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")}
    except (OSError, ValueError, IndexError):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {"memory": peak if sys.platform == "darwin" else peak * 1024}
