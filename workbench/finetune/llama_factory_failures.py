"""Why LLaMA-Factory ended badly, read from its last lines. Does not know the job."""

from __future__ import annotations

import re
import signal

from ..core.jobs import Failure

_RESUME = "job.resume() continues at the last checkpoint."
_LESS = "Use a smaller per_device_train_batch_size (with a larger gradient_accumulation_steps), a smaller cutoff_len, or lora instead of full."
_REBUILD = "workbench env doctor llamafactory  shows what is wrong; workbench env create llamafactory --rebuild  builds it again."

# The first pattern that is found explains the failure; {0} is what its group caught.
_CAUSES: tuple[tuple[str, str, str], ...] = (
    (
        r"CUDA out of memory|OutOfMemoryError|CUBLAS_STATUS_ALLOC_FAILED|MPS backend out of memory",
        "The GPU's memory is full.",
        f"{_LESS} quantization_bit=4 trains a LoRA on a quantized model. workbench.gpu() shows who else uses the GPU.",
    ),
    (r"DefaultCPUAllocator|can't allocate memory|Cannot allocate memory|MemoryError", "The machine's memory is full.", _LESS),
    (
        r"No space left on device|Disk quota exceeded|os error 28|StorageFull",
        "The disk is full.",
        f"Free some space, or set WORKBENCH_HOME or WORKBENCH_TRAIN_TARGET_ROOT to a folder on a larger disk; then {_RESUME}",
    ),
    (
        r"((?:PermissionError|NotADirectoryError|OSError: \[Errno 30\]).{0,300})",
        "A file could not be written: {0}",
        f"Give another target_path, or set WORKBENCH_TRAIN_TARGET_ROOT. {_RESUME}",
    ),
    (
        r"Found no NVIDIA driver|not compiled with CUDA|CUDA driver version is insufficient|no kernel image is available|No CUDA GPUs are available",
        "The training asks for CUDA, but this torch and this GPU's driver cannot use it.",
        f"use_cpu=True trains without a GPU; WORKBENCH_TORCH=cu128 or another CUDA chooses another torch. {_REBUILD}",
    ),
    (
        r"setup doesn't support bf16|bf16.{0,40}not support",
        "This device cannot compute in bf16.",
        "Leave out bf16=True; on a CPU give use_cpu=True as well.",
    ),
    (
        r"Template (\S+) does not exist",
        "LLaMA-Factory has no template {0}.",
        "Leave template=… out: the workbench finds the one that writes as the model's own chat template does.",
    ),
    (
        r"Target modules .{0,200}not found in the base model",
        "The model has no layers of the names in lora_target.",
        "lora_target='all' takes every linear layer.",
    ),
    (
        r"Cannot find valid samples|Invalid role tag|DatasetGenerationError|CastError|ArrowInvalid|KeyError: '(?:messages|from|role)'",
        "LLaMA-Factory could use no row of the data set.",
        "Check the first rows; a cutoff_len that is shorter than every prompt leaves nothing to learn from.",
    ),
    (
        r"custom code which must be executed|requires you to execute|Please pass the argument `trust_remote_code",
        "The model needs code of its own.",
        "Give trust_remote_code=True when you trust whoever published it.",
    ),
    (
        r"size mismatch for|Error\(s\) in loading state_dict",
        "The checkpoint and the model do not have the same shapes.",
        "Resume with the same base model and the same lora_rank and lora_target.",
    ),
    (
        r"loss is (?:nan|inf)|contains? (?:nan|inf)|(?:nan|NaN) or (?:inf|Inf)|probability tensor contains",
        "The training diverged: a number became infinite.",
        "Use a smaller learning_rate, some warmup_steps, or bf16 instead of fp16.",
    ),
    (
        r"(?:ModuleNotFoundError|ImportError): (.{0,200})",
        "The environment lacks something: {0}",
        _REBUILD,
    ),
    (
        r"does not appear to have a file named|is not a local folder|Repo id must be in the form|Unrecognized model"
        r"|Can't load (?:tokenizer|the configuration)",
        "The base model's folder is not there, or not complete.",
        "It needs config.json, the tokenizer's files and safetensors.",
    ),
    (
        r"keys are not used by the HfArgumentParser: (.{0,200})",
        "This LLaMA-Factory does not know these arguments: {0}",
        "Leave them out, or use the version that the workbench builds.",
    ),
    (r"Address already in use|EADDRINUSE", "The port that the processes meet at is taken.", "Start it again."),
)
_RESOURCES = 3  # how many of them, from the first, are about memory and disk
_ERROR_LINE = re.compile(r"^(?:\[rank\d+\]:\s*)?((?:\w+\.)*\w*(?:Error|Exception|Interrupt)\b.*)$", re.MULTILINE)


def explain(stage: str, exit_code: int | None, log_tail: str) -> Failure:
    """Cause and fix for a stage that ended with that code and these last lines."""
    # What a signal ended was not ended by an error that happens to stand in its log, unless memory or disk were full.
    signalled = exit_code is not None and exit_code < 0
    for pattern, cause, fix in _CAUSES[:_RESOURCES] if signalled else _CAUSES:
        if found := re.search(pattern, log_tail):
            return Failure(cause.format(*found.groups()), fix, log_tail)
    if exit_code is not None and exit_code < 0:
        return _signalled(-exit_code, log_tail)
    if exit_code in (143, 130):
        return Failure("Somebody asked the training to end (SIGTERM); it saved a checkpoint first.", _RESUME, log_tail)
    lines = [line for line in _ERROR_LINE.findall(log_tail) if "ChildFailedError" not in line]  # torchrun's own, after the cause
    if lines:
        return Failure(lines[-1].strip()[:500], "job.logs() shows all that LLaMA-Factory said.", log_tail)
    return Failure(f"LLaMA-Factory ended with exit code {exit_code} in the stage {stage}.", "job.logs() shows all that it said.", log_tail)


def _signalled(number: int, log_tail: str) -> Failure:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    if number == signal.SIGKILL:
        cause = "The trainer was killed (SIGKILL): by somebody, or by the system because the memory was full."
        return Failure(cause, f"{_RESUME} If it was the memory: {_LESS}", log_tail)
    if number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGABRT):
        return Failure(f"The trainer crashed ({name}).", f"{_RESUME} If it crashes again: {_REBUILD}", log_tail)
    return Failure(f"The trainer was ended by {name}.", _RESUME, log_tail)
