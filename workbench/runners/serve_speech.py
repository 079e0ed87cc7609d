"""Serves a model that speaks or one that listens, in OpenAI's form: ``serve_speech.py SPEC.json``.

Runs in the environment ``speech``. What a speaking model can be asked is `speaking`, what a listening one `listening`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from . import serving
    from .listening import Listener
    from .serving_app import App, main
    from .speaking import Speaker
else:
    import serving
    from listening import Listener
    from serving_app import App, main
    from speaking import Speaker

KINDS: dict[str, tuple[str, Callable[[Any, dict[str, Any]], Speaker | Listener]]] = {
    "tts": ("text-to-audio", Speaker),
    "stt": ("automatic-speech-recognition", Listener),
}


def load(spec: dict[str, Any]) -> App:
    """Load the model and put its paths together."""
    serving.report("progress", phase="load", text="Importing torch and transformers")
    import transformers

    task, kind = KINDS[spec["type"]]
    arguments = spec.get("arguments") or {}
    serving.report("progress", phase="load", text=f"Loading {spec['served_name']}")
    device = device_of(str(arguments.get("device") or "auto"))
    more = {"attn_implementation": arguments["attn_implementation"]} if arguments.get("attn_implementation") else {}
    options: dict[str, Any] = {}
    if arguments.get("vocoder"):
        options["vocoder"] = transformers.SpeechT5HifiGan.from_pretrained(arguments["vocoder"], local_files_only=True).to(device)
    pipe = transformers.pipeline(
        task,
        model=spec["model"],
        device=device,
        dtype=arguments.get("dtype") or "auto",
        trust_remote_code=bool(arguments.get("trust_remote_code")),
        model_kwargs=more,
        **options,
    )
    return kind(pipe, spec).app


def device_of(wanted: str) -> str:
    """The device that is meant by ``auto``; any other is taken at its word."""
    import torch

    if wanted != "auto":
        return wanted
    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


if __name__ == "__main__":
    main(load)
