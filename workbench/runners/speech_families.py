"""What each family of speaking models in transformers takes for a voice, as data, and how a voice reaches the model.

Does not load a model. The families are those of transformers' ``text-to-audio`` pipeline; one that is not here is asked
without a voice.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from .serving_fields import Refusal
else:
    from serving_fields import Refusal

DEFAULT = "default"
OPENAIS = frozenset(  # clients of OpenAI's name one unasked
    ("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer", "verse")
)


@dataclass(frozen=True)
class Family:
    """How models of one ``model_type`` are asked.

    Attributes
    ----------
    voice : str
        ``number``: one of the speakers in the config; ``preset``: a name among the processor's; ``vector``: a file with a speaker
        embedding; ``mark``: a number written before the text; ``language``: that of the text, which is spoken; empty: none to choose.
    speed : bool
        Whether the model itself speaks faster or slower.
    most : int
        Characters that are said at once; 0 for a model whose text is no speech and is never cut.
    longest : int
        Characters of a text that is never cut.
    usual : str
        The voice of who does not name one, where the model has it; the first otherwise.
    tokens : str
        What ``generate`` calls the limit of its length; empty where it has none.
    least : int
        The smallest such limit that gives a sound.
    stops : bool
        Whether ``generate`` ends when it is told to.
    """

    voice: str = ""
    speed: bool = False
    most: int = 400
    longest: int = 0
    usual: str = ""
    tokens: str = "max_new_tokens"
    least: int = 1
    stops: bool = False


FAMILIES: dict[str, Family] = {
    "vits": Family("number", speed=True),
    "speecht5": Family("vector", most=300, tokens=""),
    "bark": Family("preset", most=200, usual="v2/en_speaker_6", tokens="semantic_max_new_tokens"),  # others would limit all its parts alike
    "musicgen": Family(most=0, longest=2000, stops=True),
    "musicgen_melody": Family(most=0, longest=2000, stops=True),
    "seamless_m4t": Family("language", usual="eng"),
    "seamless_m4t_v2": Family("language", usual="eng"),
    "csm": Family("mark", most=300, stops=True),
    "dia": Family(most=300, least=32, stops=True),
}
MARKS = 10  # numbers before a text that CSM was trained with


class Voices:
    """The voices of one loaded pipeline.

    Attributes
    ----------
    names : list of str
        What ``voice`` may be beside ``default``; empty where any number or name does, or none.
    """

    def __init__(self, pipe: Any, folder: str = "", default: str = "") -> None:
        self.pipe, self.family = pipe, FAMILIES.get(pipe.model.config.model_type, Family())
        self._files: dict[str, Path] = {}
        self.names = self._found(folder)
        self.default = default
        if default:
            self.options(default)

    def _found(self, folder: str) -> list[str]:
        config, kind = self.pipe.model.config, self.family.voice
        if kind == "number":
            count = int(getattr(config, "num_speakers", 1) or 1)
            return [str(i) for i in range(count)] if count > 1 else []
        if kind == "preset":
            known = getattr(self.pipe.processor, "speaker_embeddings", None) or {}
            return sorted(k for k in known if k != "repo_or_path")
        if kind == "vector":
            places = [Path(folder)] if folder else [Path(config.name_or_path) / "speakers", Path(config.name_or_path) / "voices"]
            self._files = {p.stem: p for place in places if place.is_dir() for p in sorted(place.glob("*.npy"))}
            return list(self._files)
        if kind == "mark":
            return [str(i) for i in range(MARKS)]
        if kind == "language":
            return sorted(getattr(self.pipe.model.generation_config, "t2u_lang_code_to_id", None) or ())
        return []

    def options(self, name: str) -> tuple[str, dict[str, Any]]:
        """What is written before the text, and what the pipeline is called with, for that voice.

        Raises
        ------
        Refusal
            When the model has no such voice.
        """
        name = name or self.default or DEFAULT
        kind = self.family.voice
        if not self.names and (name == DEFAULT or name in OPENAIS):
            return "", self._without()
        if name == DEFAULT:
            name = self.family.usual if self.family.usual in self.names else self.names[0]
        if name not in self.names:
            few = ", ".join(self.names[:12]) + (", …" if len(self.names) > 12 else "")
            raise Refusal(
                f"This model has no voice {name!r}: " + (f"its voices are {few}." if few else "it has one voice, 'default'."), param="voice"
            )
        if kind == "number":
            return "", {"forward_params": {"speaker_id": int(name)}}
        if kind == "preset":
            return "", {"preprocess_params": {"voice_preset": name}}
        if kind == "vector":
            return "", {"forward_params": {"speaker_embeddings": _vector(self._files[name])}}
        if kind == "language":
            return "", {"preprocess_params": {"src_lang": name}, "forward_params": {"tgt_lang": name}}
        return f"[{name}]", {}

    def _without(self) -> dict[str, Any]:
        """Nothing, or, where the model wants some voice, one that is no person's: SpeechT5 speaks with a vector of zeros."""
        if self.family.voice != "vector":
            return {}
        import torch

        return {"forward_params": {"speaker_embeddings": torch.zeros(1, int(self.pipe.model.config.speaker_embedding_dim))}}


def _vector(file: Path) -> Any:
    import numpy
    import torch

    return torch.from_numpy(numpy.load(file, allow_pickle=False)).float().reshape(1, -1)
