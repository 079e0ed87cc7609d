"""Of which type a model is, weighed from what its files say: the strongest sign counts, and the answer says which one that was.

From strong to weak: diffusers' ``model_index.json``; sentence-transformers' ``modules.json``; an architecture that does one thing; the
hub's tag and ModelScope's task, where the architecture would do for several types, or none is named; the name. The user's own ``type=`` stands
above all of these and is not known here. Reads no file: `workbench.runtime.inspecting.inspection` gathers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.kinds import KINDS
from ...providers import model_names
from . import type_signs as signs

ANY = tuple(KINDS)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a model's folder holds, as far as it tells the type.

    Attributes
    ----------
    name : str
        The folder's name.
    config, index, sentence, transformer : Mapping
        ``config.json``, ``model_index.json``, ``config_sentence_transformers.json`` and ``sentence_bert_config.json``; empty where there is none.
    modules : sequence of str or None
        The classes of ``modules.json``; None where there is none.
    tag, library : str
        ``pipeline_tag`` and ``library_name`` of the README.
    tags : sequence of str
        The README's other tags.
    task : str
        That of ModelScope's ``configuration.json``.
    files : frozenset of str
        Names of the files.
    """

    name: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    index: Mapping[str, Any] = field(default_factory=dict)
    sentence: Mapping[str, Any] = field(default_factory=dict)
    transformer: Mapping[str, Any] = field(default_factory=dict)
    modules: Sequence[str] | None = None
    tag: str = ""
    library: str = ""
    tags: Sequence[str] = ()
    task: str = ""
    files: frozenset[str] = frozenset()

    @property
    def architecture(self) -> str:
        """The first of ``architectures``."""
        return str(next(iter(self.config.get("architectures") or ()), ""))


@dataclass(frozen=True, slots=True)
class Told:
    """A model's type.

    Attributes
    ----------
    type : str
        One of `workbench.core.kinds.KINDS`, or ``classify``, ``text2video`` or ``text2audio``, which nothing here serves.
    by : str
        What told it, for people: ``modules.json``, ``the architecture BertModel``.
    takes : tuple of str
        What it can be given: ``text``, ``image``, ``audio``, ``video``; empty when unknown.
    also : tuple of str
        Types that it may be asked to be as well, when the user says so; all of them where the files tell little.
    """

    type: str
    by: str
    takes: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


def told(evidence: Evidence) -> Told:
    """The type of a model."""
    for weigh in (_of_pipeline, _of_sentence_transformers, _of_architecture, _of_words):
        found = weigh(evidence)
        if found is not None:
            return found
    return Told("llm", "nothing that says otherwise", (), ANY)


def _of_pipeline(e: Evidence) -> Told | None:
    name = str(e.index.get("_class_name") or "")
    if not e.index:
        return None
    type_ = next((t for pattern, t in signs.PIPELINES if pattern.search(name)), "sd")
    if type_ == "sd" and e.tag == "image-to-image":
        type_ = "image_editing"
    pictures = type_ in ("sd", "image_editing")
    return Told(
        type_,
        f"model_index.json ({name})" if name else "model_index.json",
        ("text", "image") if pictures else ("text",),
        ("sd", "image_editing") if pictures else ("sd",) if type_ == "text2video" else (),  # a film of one frame is a picture
    )


def _of_sentence_transformers(e: Evidence) -> Told | None:
    kind = str(e.sentence.get("model_type") or "")
    if e.modules is None and not kind:
        return None
    source = "modules.json" if e.modules is not None else "config_sentence_transformers.json"
    also = ("llm",) if _generates(e.architecture) else ()
    if kind == "CrossEncoder":
        return Told("rerank", "config_sentence_transformers.json (CrossEncoder)", _takes(e, ("text",)), also)
    if e.modules and any("LogitScore" in m or "CrossEncoder" in m for m in e.modules):
        return Told("rerank", source, _takes(e, ("text",)), also)
    if (e.transformer.get("modality_config") or {}).keys() & {"image", "video"} or any("CLIP" in m.upper() for m in e.modules or ()):
        return Told("cross_modal_embed", source, ("text", "image"), ("embed", *also))
    own = any(m and not m.startswith("sentence_transformers.") for m in e.modules or ())  # code that comes with the model: it may see as well
    if _sees(e) and (own or e.architecture.endswith(("ForConditionalGeneration", "ForEmbedding"))):
        return Told("cross_modal_embed", source, ("text", "image"), ("embed", *(("vlm",) if also else ())))
    return Told("embed", source, ("text",), also)


def _of_architecture(e: Evidence) -> Told | None:
    name = e.architecture
    if not name:
        return None
    by = f"the architecture {name}"
    if name.endswith(("ForSequenceClassification", "ForSentenceClassification")):
        return _of_classifier(e, by)
    sign = next((s for s in signs.ARCHITECTURES if s.pattern.search(name)), None)
    if sign is None:
        return None
    type_, takes, also = sign.type, ("text", *sign.takes), sign.also
    if type_ in ("llm", "vlm") and "text" in takes:
        takes = _takes(e, takes)
        if type_ == "llm" and len(takes) > 1:
            type_, also = "vlm", ("llm",)
            by += " with " + " and ".join("a vision part" if t == "image" else "an audio part" for t in takes[1:])
    if type_ == "stt":
        takes = sign.takes
    if type_ == "vlm":
        also = (*also, "cross_modal_embed", "embed")
        return _refined(e, Told("vlm", by, takes, also), cross=True)
    if type_ in signs.WEAK:
        return _refined(e, Told(type_, by, takes, also), cross=False)
    return Told(type_, by, takes, also)


def _of_classifier(e: Evidence, by: str) -> Told:
    """One label is a score of relevance, or of what people like; several are a classifier's, unless something says that it ranks."""
    labels = len(e.config.get("id2label") or ()) or int(e.config.get("num_labels") or 0)
    if signs.REWARDS.search(e.name.lower()) and e.tag != "text-ranking":
        return Told("classify", f"its name, {e.name}", ("text",), ("rerank",))
    ranks = labels <= 1 or e.tag == "text-ranking" or "sentence_transformers" in e.config or _named(e) == "rerank"
    return Told("rerank", by, ("text",)) if ranks else Told("classify", f"{by} with {labels} labels", ("text",))


def _refined(e: Evidence, found: Told, *, cross: bool) -> Told:
    """What a tag or the name makes of an architecture that would do for several types."""
    tagged, named = signs.TAGS.get(e.tag, ""), _named(e)
    decoder = _generates(e.architecture)
    better, by = "", ""
    if tagged in ("rerank", "tts", "stt", "cross_modal_embed", "embed") and tagged != found.type:
        better, by = tagged, f"the tag {e.tag} of its README"
    elif tagged == "vlm" and found.type == "llm" and decoder:
        return Told("vlm", f"the tag {e.tag} of its README", ("text", "image"), ("llm",))
    elif named in ("rerank", "embed") and named != found.type:
        better, by = named, f"its name, {e.name}"
    if better == "embed" and cross:
        better = "cross_modal_embed"
    if not better or better == found.type:
        return found
    also = tuple(dict.fromkeys((found.type, *found.also))) if decoder else found.also
    return Told(better, by, found.takes, tuple(t for t in also if t != better))


def _of_words(e: Evidence) -> Told | None:
    """Without an architecture: the model's sort, a file that only such models have, a task, a tag, the name."""
    by_file = next((f for f in sorted(e.files) if f in signs.FILES), "")
    if by_file:
        return Told(signs.FILES[by_file], by_file, (), ANY)
    sort = str(e.config.get("model_type") or "")
    if (
        sort
        and (found := _of_architecture(Evidence(e.name, {**e.config, "architectures": [_as_class(sort)]}))) is not None
        and found.type not in signs.WEAK
    ):
        return Told(found.type, f"the model_type {sort}", found.takes, found.also)
    if e.task in signs.TASKS:
        return Told(signs.TASKS[e.task], f"the task {e.task} of its configuration.json", (), ANY)
    if e.tag in signs.TAGS:
        return Told(signs.TAGS[e.tag], f"the tag {e.tag} of its README", (), ANY)
    if e.library == "sentence-transformers" or "sentence-transformers" in e.tags:
        return Told("rerank" if _named(e) == "rerank" or "cross-encoder" in e.tags else "embed", "the tags of its README", ("text",), ANY)
    named = model_names.type_of(e.name)
    return Told(named, f"its name, {e.name}", (), ANY) if named else None


def of_gguf(architecture: str, pooling: int, name: str, sees: bool) -> Told:
    """The type of a GGUF file.

    Parameters
    ----------
    pooling : int
        ``{architecture}.pooling_type``: 0 is none, 4 ranks, the others make vectors.
    sees : bool
        Whether a projector for pictures lies beside it.
    """
    if pooling == 4:
        return Told("rerank", "its pooling type", ("text",))
    if pooling:
        return Told("embed", "its pooling type", ("text",), () if architecture in signs.GGUF_EMBEDS else ("llm",))
    named = _name_tells(name)
    if architecture in signs.GGUF_EMBEDS:
        return Told("rerank" if named == "rerank" else "embed", f"the architecture {architecture}", ("text",), ("embed",))
    if sees:
        return Told("vlm", "the projector beside it", ("text", "image"), ("llm",))
    if named:
        return Told(named, f"its name, {name}", ("text",), ("llm", "embed"))
    return Told("llm", f"the architecture {architecture}", ("text",), ("embed",))


def _takes(e: Evidence, takes: tuple[str, ...]) -> tuple[str, ...]:
    thinker = e.config.get("thinker_config")
    parts = {**e.config, **(thinker if isinstance(thinker, Mapping) else {})}
    found = list(takes)
    if any(parts.get(s) is not None for s in signs.SEES):
        found.append("image")
    if any(parts.get(s) is not None for s in signs.HEARS):
        found.append("audio")
    if parts.get("video_token_id") is not None or parts.get("video_token_index") is not None:
        found.append("video")
    return tuple(dict.fromkeys(found))


def _sees(e: Evidence) -> bool:
    return "image" in _takes(e, ())


def _generates(architecture: str) -> bool:
    return architecture.endswith(("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")) or "Chat" in architecture


def _named(e: Evidence) -> str:
    return _name_tells(e.name) or _name_tells(str(e.config.get("_name_or_path") or ""))


def _name_tells(name: str) -> str:
    return next((type_ for pattern, type_ in signs.REFINED if pattern.search(name.lower())), "")


def _as_class(sort: str) -> str:
    """A model_type as a class might be called: ``qwen2_vl`` is ``Qwen2VLModel``."""
    return "".join(p.upper() if len(p) <= 3 and p.isalpha() else p[:1].upper() + p[1:] for p in sort.replace("-", "_").split("_")) + "Model"
