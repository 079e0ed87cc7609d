"""Models whose files no engine here reads, though their type is known: what they are, and what to give instead. Data, and how it is found.

The forms are those of their projects: NeMo's ``.nemo``, CTranslate2 (https://opennmt.net/CTranslate2/conversion.html), whisper.cpp, Kokoro,
CosyVoice, ChatTTS and XTTS with code of their own, and pictures' models in one file, without the description of a pipeline.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from . import model_files

_SPEAKERS = (
    "Serve a model that transformers carries, such as facebook/mms-tts-eng or suno/bark-small; or a function that runs this one, "
    "wb.ServerModule(function)."
)


class Foreign(NamedTuple):
    """A form of weights: what tells it, what it is, and what helps.

    Attributes
    ----------
    files : tuple of str
        Patterns; one file that fits any of them tells it.
    keys : tuple of str
        Keys of ``config.json``; all of them together tell it as well.
    what, fix : str
        For people.
    types : tuple of str
        Counts only for models of these types; any where empty.
    """

    files: tuple[str, ...]
    keys: tuple[str, ...]
    what: str
    fix: str
    types: tuple[str, ...] = ()


FORMS = (
    Foreign(
        ("*.nemo",),
        (),
        "It is a checkpoint of NeMo, which none of the engines reads.",
        "Take one in the form of transformers, such as nvidia/parakeet-ctc-1.1b; or serve a function that runs it, wb.ServerModule(function).",
    ),
    Foreign(
        ("vocabulary.json", "vocabulary.txt", "shared_vocabulary.json", "shared_vocabulary.txt"),
        ("alignment_heads", "suppress_ids"),
        "It was converted for CTranslate2 (faster-whisper), which none of the engines reads.",
        "Give the model that it was made of, such as openai/whisper-large-v3.",
        ("stt", "llm"),
    ),
    Foreign(
        ("ggml-*.bin",),
        (),
        "It was converted for whisper.cpp, which is none of the engines.",
        "Give the model that it was made of, such as openai/whisper-large-v3.",
        ("stt",),
    ),
    Foreign(("kokoro-*.pth",), ("istftnet", "plbert"), "Kokoro needs code of its own, which transformers does not have.", _SPEAKERS),
    Foreign(("cosyvoice*.yaml",), (), "CosyVoice needs code of its own, which transformers does not have.", _SPEAKERS),
    Foreign(
        ("asset/GPT.pt", "asset/gpt", "config/decoder.yaml"),
        (),
        "ChatTTS is no longer maintained, and transformers does not have it.",
        _SPEAKERS,
        ("tts",),
    ),
    Foreign(("speakers_xtts.pth", "mel_stats.pth"), (), "XTTS needs Coqui's own code, which transformers does not have.", _SPEAKERS),
    Foreign(
        ("*.safetensors", "*.ckpt"),
        (),
        "It is a model in single files, without the model_index.json of a pipeline.",
        "Take the form for diffusers, where there is one: such as stabilityai/stable-diffusion-3-medium-diffusers for stable-diffusion-3-medium.",
        ("sd", "image_editing"),
    ),
)


def form_of(path: str, type: str) -> Foreign | None:
    """The foreign form that a folder's weights are in; None where transformers, diffusers or another library has described it."""
    folder = Path(path)
    if not folder.is_dir() or (folder / "model_index.json").exists() or (folder / "modules.json").exists():
        return None
    config = model_files.config(folder)
    if config.get("model_type") or config.get("architectures"):
        return None
    for form in FORMS:
        if form.types and type not in form.types:
            continue
        if (form.keys and config.keys() >= set(form.keys)) or any(next(folder.glob(pattern), None) for pattern in form.files):
            return form
    return None
