"""Why a model did not load, from what torch, transformers and their relatives write: what every engine of theirs may end with.

Data first: a pattern, the cause, the one thing to change. The sentences are those of the versions of 2026.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple


class Sign(NamedTuple):
    """A pattern in the log; the groups of its match fill the braces of cause and fix. An empty cause is what the library said."""

    pattern: str
    cause: str
    fix: str


_DTYPE = "Give dtype='float32', 'bfloat16' or 'float16' (torch_dtype= to diffusers), or leave it out."

SIGNS: tuple[Sign, ...] = (
    Sign(
        r"(?:Unsupported dtype:|dtype cannot be) '(\w+)'|module 'torch' has no attribute '((?:b?float|u?int|complex|half)\w*)'",
        "There is no data type {0}{1}.",
        _DTYPE,
    ),
    Sign(r"`?dtype`? provided as a `str` can only be", "torch has no data type of the name that was given.", _DTYPE),
    Sign(
        r"Error no file named [^\n]*?found in directory ([^\s,]+?)\.?\s|Cannot find any model weights with `([^`]+)`",
        "There are no weights in {0}{1}.",
        "Fetch or copy the model again: beside its config.json it has *.safetensors or *.bin files.",
    ),
    Sign(
        r"Unrecognized processing class in \S+ Can't instantiate|Can't load (?:the )?tokenizer for|KeyError: 'added_tokens'"
        r"|did not match any variant of untagged enum|Couldn't instantiate the backend tokenizer"
        r"|tokenization_\w+\.py[\s\S]{0,1500}?expected str, bytes or os\.PathLike object, not NoneType"
        r"|No such file or directory: '[^']*/tokenizer\.json'",
        "The model's tokenizer is missing or cannot be read.",
        "Fetch or copy its files again: tokenizer.json and tokenizer_config.json, or vocab.json, tokenizer.model or the like.",
    ),
    Sign(
        r"model type `'?(\w+)'?`? but Transformers does not recognize",
        "transformers does not know the architecture {0}.",
        "Name an interpreter with a newer transformers, python=…; where model_type in its config.json is a mistake, mend that.",
    ),
    Sign(
        r"Unrecognized model in \S+ Should have a `model_type`|does not appear to have a file named config\.json"
        r"|ensure the presence of a 'config\.json'|Invalid repository ID or local directory specified",
        "The folder has no config.json that says what model it is.",
        "Fetch or copy the model again, or give the folder that holds its config.json.",
    ),
    Sign(
        r"Torch not compiled with CUDA enabled|No CUDA GPUs are available|Found no NVIDIA driver|CUDA driver version is insufficient",
        "Its torch finds no GPU that it can use.",
        "Leave device= out: it then takes what is there. Where there is a GPU, nvidia-smi has to show it; "
        "workbench env create NAME --rebuild takes the torch for it.",
    ),
    Sign(
        r"no kernel image is available for execution",
        "Its torch was not built for this GPU.",
        "Name an interpreter with a torch that was, python=…; workbench env create NAME --rebuild takes the newest.",
    ),
    Sign(
        r"requires you to execute the (?:configuration|repo|model|\w+ file)|trust_remote_code=True",
        "The model brings code of its own, which is not run unasked.",
        "Look at it; if you trust who made it, give trust_remote_code=True.",
    ),
    Sign(
        r"ModuleNotFoundError: No module named '([\w.]+)'|This modeling file requires the following packages[^:\n]*: ([\w-]+)"
        r"|requires the (\w+) library but it was not found",
        "The package {0}{1}{2} is not installed in its interpreter.",
        "Name an interpreter that has it, python=…; or install it into this one: workbench env list shows which it is.",
    ),
)


def explain(log: str, signs: Sequence[Sign] = SIGNS) -> tuple[str, str] | None:
    """Cause and fix for what a log tells; None where no sign is in it."""
    for sign in signs:
        if found := re.search(sign.pattern, log):
            groups = [g or "" for g in found.groups()]
            return sign.cause.format(*groups), sign.fix.format(*groups)
    return None
