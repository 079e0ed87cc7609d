"""Runs a trainer so that it reports every step and can be told to save, pause and stop: the one runner for all trainers.

    python train.py llamafactory train|export ARGUMENTS.json [EXPORT_ARGUMENTS.json]
    python train.py -m some.module ARGUMENT …
    python train.py script.py ARGUMENT …

Executed by the interpreter of the trainer's environment, standard library only. The trainer is not changed: once it
imports ``transformers.trainer``, a callback of ours is among the default ones, for LLaMA-Factory, TRL, FlagEmbedding and
sentence-transformers alike. The events and commands are those of `workbench.core.jobs`. SIGTERM and SIGINT mean "save and
stop" while it trains; one before or after that ends it at once, a second one kills it.
"""

from __future__ import annotations

import atexit
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import runpy
import signal
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .train_report import Report
else:
    from train_report import Report  # started as a file: what lies beside it is importable, the package is not

STOPPED = 143  # the exit code of a training that was told to stop: 128 + SIGTERM, as shells count
_LISTEN_SECONDS = 0.2
_STUBS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stubs")


class Run:
    """What is known about this process: its report, and whether and why it should stop."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.training = False
        self.stopped = False
        self._signals = 0

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Stop after the step, or at once where there is nothing to save."""
        self._signals += 1
        if self._signals > 1:
            self.report.event("exit", code=128 + number)
            os._exit(128 + number)
        self.stopped = True
        if not self.training:
            raise SystemExit(128 + number)

    def heed_control(self) -> None:
        """Hear a stop in the control file, too, while nothing looks into it after each step."""

        def listen() -> None:
            while not self.stopped:
                if "stop" in self.report.commands():
                    os.kill(os.getpid(), signal.SIGTERM)
                    return
                time.sleep(_LISTEN_SECONDS)

        threading.Thread(target=listen, daemon=True).start()


class TransformersHook(importlib.abc.MetaPathFinder):
    """Adds our callback to ``transformers.trainer`` as soon as somebody imports it."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> importlib.machinery.ModuleSpec | None:
        if fullname != "transformers.trainer":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            importlib.import_module("train_callback").install(module, self.run)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]  # the loader of this one import
        return spec


def use_stubs() -> None:
    """Put stand-ins on the path, last, for packages that a trainer imports but that this machine cannot have."""
    if _STUBS not in sys.path:
        sys.path.append(_STUBS)


def execute(command: list[str], run: Run) -> None:
    """Run what the command line names."""
    if command[0] == "llamafactory":
        importlib.import_module("train_llama_factory").main(command[1], command[2:], run)
    elif command[0] == "-m":
        sys.argv = command[1:]
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = command
        sys.path.insert(0, os.path.dirname(os.path.abspath(command[0])))
        runpy.run_path(command[0], run_name="__main__")


def main(command: list[str]) -> int:
    """Run a trainer under the hook and give its exit code."""
    run = Run(Report.of_this_process())
    signal.signal(signal.SIGTERM, run.on_signal)
    signal.signal(signal.SIGINT, run.on_signal)
    use_stubs()
    sys.meta_path.insert(0, TransformersHook(run))
    code: Any = 0
    try:
        execute(command, run)
    except SystemExit as e:
        code = e.code if isinstance(e.code, int) else 0 if e.code is None else 1
        if code and not isinstance(e.code, int):
            run.report.event("error", type="SystemExit", message=str(e.code), traceback="")
    except BaseException as e:
        code = 1
        run.report.event("error", type=type(e).__name__, message=str(e)[:2000], traceback=traceback.format_exc()[-4000:])
        traceback.print_exc()
    if run.stopped:
        code = STOPPED
    run.report.event("exit", code=code)
    return int(code)


def leave(code: int) -> None:
    """End without taking the interpreter apart, which takes seconds with everything that a trainer imports.

    What would have run at the end runs: threads that are waited for, and exit functions.
    """
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.current_thread():
            thread.join()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
