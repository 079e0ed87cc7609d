"""A transformers Trainer with steps as short as they can be; prints the microseconds of one. Run by a trainer's environment.

The tiny network makes the time of a step almost all overhead, so that what the workbench adds to it shows. It is the lower quartile:
a step of under a millisecond that other programs interrupt takes many times as long.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from typing import Any

import torch
from transformers import Trainer, TrainerCallback, TrainingArguments

STEPS = 600


class Network(torch.nn.Module):  # type: ignore[misc]  # checked where torch is not
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)

    def forward(self, x: Any = None, labels: Any = None) -> dict[str, Any]:
        return {"loss": (self.layer(x).squeeze(-1) - labels).square().mean()}


class Clock(TrainerCallback):  # type: ignore[misc]  # likewise
    """The moments at which steps begin."""

    def __init__(self) -> None:
        self.moments: list[float] = []

    def on_step_begin(self, *args: Any, **kwargs: Any) -> None:
        self.moments.append(time.perf_counter())


def main() -> None:
    torch.set_num_threads(1)
    rows = [{"x": torch.randn(4), "labels": torch.randn(())} for _ in range(64)]
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder, max_steps=STEPS, logging_steps=1, save_strategy="no", report_to="none", use_cpu=True, disable_tqdm=True
        )
        trainer = Trainer(model=Network(), args=arguments, train_dataset=rows, callbacks=[clock])
        trainer.pop_callback(next(c for c in trainer.callback_handler.callbacks if type(c).__name__ == "PrinterCallback"))
        trainer.train()
    lengths = [b - a for a, b in zip(clock.moments[50:], clock.moments[51:], strict=False)]
    print(f"microseconds {1e6 * statistics.quantiles(lengths, n=4)[0]:.1f}")


main()
