"""What people read of ends that engines have in common: a cause, what to do, and no more lines of the log than tell it.

The sentences are those that vLLM 0.32, transformers 5.23, diffusers, sentence-transformers and llama.cpp wrote when they were made to fail so.
"""

from __future__ import annotations

import pytest

from workbench import registry
from workbench.errors import JobFailed

_FRAMES = "".join(f'  File "/e/lib/python3.11/site-packages/transformers/x{i}.py", line {i}, in f\n    f({i})\n' for i in range(9))
_ARCHITECTURE = (
    "ValueError: The checkpoint you are trying to load has model type `foo` but Transformers does not recognize this architecture. "
    "This could be because of an issue with the checkpoint, or because your version of Transformers is out of date.\n\n"
    "You can update Transformers with the command `pip install --upgrade transformers`. If this does not work, wait."
)
_TOKENIZER = "ValueError: Unrecognized processing class in /m/a. Can't instantiate a processor, a tokenizer, an image processor."
_VOCABULARY = (
    '  File "/e/lib/python3.11/site-packages/transformers/models/vits/tokenization_vits.py", line 90, in __init__\n'
    "    with open(vocab_file) as f:\nTypeError: expected str, bytes or os.PathLike object, not NoneType"
)
_LLAMA = "\n".join(
    [
        *(f"0.00.004.{i} I llama_model_loader: - kv {i}" for i in range(100, 110)),
        "0.00.004.690 E llama_model_load: error loading model: unknown model architecture: 'foox9'",
        "0.00.004.690 E llama_model_load_from_file_impl: failed to load model",
        "0.00.004.691 E cmn  common_init_: failed to load model '/m/arch.gguf'",
        "0.00.004.694 I srv    operator(): operator(): cleaning up before exit...",
        "RuntimeError: llama.cpp could not load /m/arch.gguf: Failed to init server, please check the input params.",
    ]
)
ENDS = [
    ("transformers", "ValueError: Unsupported dtype: 'float99'. Must be 'auto' or a valid torch dtype.", "no data type float99", "dtype='float32'"),
    ("diffusers", "ValueError: torch_dtype cannot be 'float99'; it is float32 or auto", "no data type float99", "torch_dtype="),
    ("speech", "AttributeError: module 'torch' has no attribute 'float99'", "no data type float99", "dtype='float32'"),
    ("vllm", "main.py serve: error: argument --dtype: invalid choice: 'float99' (choose from 'auto', 'half').", "refused dtype: invalid", "a value"),
    ("vllm", "RuntimeError: Cannot find any model weights with `/m/a`", "no weights in /m/a", "*.safetensors"),
    (
        "sentence_transformers",
        "OSError: Error no file named model.safetensors, or pytorch_model.bin, found in directory /m/a.\n",
        "no weights in /m/a.",
        "*.safetensors",
    ),
    ("transformers", _TOKENIZER, "tokenizer is missing or cannot be read", "tokenizer.json"),
    ("vllm", "KeyError: 'added_tokens'", "tokenizer is missing or cannot be read", "tokenizer.json"),
    ("speech", _VOCABULARY, "tokenizer is missing or cannot be read", "vocab.json"),
    ("transformers", _ARCHITECTURE, "does not know the architecture foo", "python="),
    ("vllm", _ARCHITECTURE, "vLLM does not know the architecture foo", "workbench.deploy.transformers"),
    ("vllm", "ValueError: Invalid repository ID or local directory specified: '/m/a'.", "no config.json", "Fetch or copy"),
    ("speech", "AssertionError: Torch not compiled with CUDA enabled", "no GPU that it can use", "Leave device= out"),
    ("diffusers", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB.", "did not get enough memory", "smaller model"),
    ("transformers", "ModuleNotFoundError: No module named 'einops'", "einops is not installed", "python="),
    ("llama_cpp", _LLAMA, "does not know the architecture 'foox9'", "pip install -U xllamacpp"),
]


@pytest.mark.parametrize(("engine", "said", "cause", "fix"), ENDS, ids=[f"{e}-{c.split()[-1]}" for e, _, c, _ in ENDS])
def test_an_end_is_told_in_eight_lines_with_its_cause_and_what_to_do(engine: str, said: str, cause: str, fix: str) -> None:
    chatter = "[transformers] Loading /m/a@main\nLoading weights: 100%|####| 36/36 [00:00<00:00, 8367.69it/s]\n"
    log = f"{chatter}Traceback (most recent call last):\n{_FRAMES}{said}"
    found = registry.get("deploy", engine)().explain("serve", 1, log)
    assert cause in found.cause
    assert fix in found.fix
    lines = str(JobFailed("It could not be started.", found.cause, found.fix, job_id="abc", log_tail=log)).splitlines()
    assert len(lines) <= 8
    assert "workbench.job('abc').logs()" in lines[-1]
    assert not any("%|" in line or "Loading" in line or "site-packages" in line for line in lines)


def test_what_the_cause_says_is_not_said_again() -> None:
    log = "Traceback (most recent call last):\n" + _FRAMES + "OddError: Something odd happened here."
    found = registry.get("deploy", "transformers")().explain("serve", 1, log)
    text = str(JobFailed("It failed.", found.cause, found.fix, job_id="abc", log_tail=log))
    assert text.count("Something odd happened here") == 1
    assert text.endswith("(The log is in workbench.job('abc').logs())")


def test_a_conversion_that_failed_for_damaged_files_does_not_send_to_another_engine() -> None:
    engine = registry.get("deploy", "llama_cpp")()
    damaged = engine.explain("convert", 1, "FileNotFoundError: [Errno 2] No such file or directory: '/m/a/tokenizer.json'")
    assert damaged.fix.startswith("Fetch or copy")
    assert "transformers" in engine.explain("convert", 1, "NotImplementedError: Architecture not supported").fix
