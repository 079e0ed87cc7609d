"""Serves a model that speaks or one that listens, in OpenAI's form: ``serve_speech.py SPEC.json``.

Runs in the environment ``speech``. What a speaking model can be asked is `speaking`, what a listening one `listening`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from . import serving
    from .listening import Listener
    from .serving_app import App, main
    from .speaking import Speaker
    from .torch_device import device_of
else:
    import serving
    from listening import Listener
    from serving_app import App, main
    from speaking import Speaker
    from torch_device import device_of

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
    try:
        pipe = transformers.pipeline(
            task,
            model=spec["model"],
            device=device,
            dtype=arguments.get("dtype") or "auto",
            trust_remote_code=bool(arguments.get("trust_remote_code")),
            model_kwargs=more,
            **vocoder(spec["model"], str(arguments.get("vocoder") or ""), device),
        )
    except OSError as e:
        if "huggingface.co" in str(e) and not arguments.get("vocoder") and spec["type"] == "tts":
            raise ValueError("the model makes spectrograms: name the folder of the vocoder that makes sound of them, vocoder='…'") from e
        raise
    return kind(pipe, spec).app


def vocoder(model: str, folder: str, device: str) -> dict[str, Any]:
    """What the pipeline is told of a vocoder: the one that was named, or one that lies in the model's folder."""
    place = Path(folder) if folder else Path(model) / "vocoder"
    if not folder and not place.is_dir():
        return {}
    from transformers import SpeechT5HifiGan

    return {"vocoder": SpeechT5HifiGan.from_pretrained(str(place), local_files_only=True).to(device)}


if __name__ == "__main__":
    main(load)
