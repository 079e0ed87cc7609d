"""Lets models that see pictures and films be served where films cannot be read, without torchvision: they see pictures.

transformers makes such a model's processor of one part for each, and the one for films needs torchvision, a package whose build has
to fit torch's to the letter. Standard library at the top; the rest is there where transformers serves.
"""

from __future__ import annotations

from typing import Any


def put_on() -> None:
    """Change how transformers' server loads processors from now on."""
    from transformers.cli.serving.model_manager import ModelManager

    manager: Any = ModelManager
    load = manager._load_processor

    def processor(of: Any, model: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return load(of, model, *args, **kwargs)
        except ImportError as e:
            if "torchvision" not in str(e).lower():
                raise
            print("There is no torchvision: the model sees pictures, but no films.", flush=True)
            return still(model.split("@", 1)[0], of.trust_remote_code)

    manager._load_processor = processor


class NoFilms:
    """Stands for the part that reads films."""

    def __init__(self, images: Any) -> None:
        for name in ("merge_size", "temporal_patch_size", "patch_size"):
            setattr(self, name, getattr(images, name, None))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise ValueError("Films need torchvision, which the environment does not have. Give pictures.")


def still(path: str, trust_remote_code: bool) -> Any:
    """A model's processor without the part for films."""
    from transformers import AutoConfig, AutoImageProcessor, AutoTokenizer, ProcessorMixin
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING

    config = AutoConfig.from_pretrained(path, trust_remote_code=trust_remote_code)
    kind: Any = PROCESSOR_MAPPING[type(config)]
    images = AutoImageProcessor.from_pretrained(path, trust_remote_code=trust_remote_code)
    tokenizer = AutoTokenizer.from_pretrained(path, trust_remote_code=trust_remote_code)

    def fits(self: Any, name: str, part: Any) -> Any:
        return NoFilms if isinstance(part, NoFilms) else ProcessorMixin.check_argument_for_proper_class(self, name, part)

    without_films = type(kind.__name__, (kind,), {"check_argument_for_proper_class": fits, "__module__": kind.__module__})
    told, _ = kind.get_processor_dict(path)
    template = told.get("chat_template") or tokenizer.chat_template
    return without_films(image_processor=images, tokenizer=tokenizer, video_processor=NoFilms(images), chat_template=template)
