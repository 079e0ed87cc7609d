"""Tiny models that make vectors and rankings, with random weights that are spread enough for results to differ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import words

SHAPE = {"hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 256, "initializer_range": 0.1}
LENGTH = 256
MODULE = "sentence_transformers.models."


def _bert(said: Any, **more: Any) -> Any:
    from transformers import BertConfig

    return BertConfig(vocab_size=len(said), max_position_embeddings=LENGTH, pad_token_id=said.pad_token_id, type_vocab_size=2, **SHAPE, **more)


def bert(folder: Path) -> None:
    """An encoder without a word on pooling."""
    from transformers import BertModel

    said = words.wordpiece(length=LENGTH)
    BertModel(_bert(said), add_pooling_layer=False).eval().save_pretrained(folder)
    words.keep(said, folder)


def embed(folder: Path) -> None:
    """The same in the layout of sentence-transformers: mean pooling, vectors of length 1, prompts for queries and documents."""
    bert(folder)
    parts = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    modules = [{"idx": i, "name": str(i), "path": path, "type": MODULE + kind} for i, (path, kind) in enumerate(parts)]
    pooling = {"word_embedding_dimension": SHAPE["hidden_size"], "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}
    pooling |= {"pooling_mode_max_tokens": False, "pooling_mode_mean_sqrt_len_tokens": False}
    prompts = {"query": "Find what answers: ", "document": ""}
    config = {"__version__": {"sentence_transformers": "5.0.0"}, "prompts": prompts, "default_prompt_name": None, "similarity_fn_name": "cosine"}
    _write(folder / "modules.json", modules)
    _write(folder / "1_Pooling" / "config.json", pooling)
    (folder / "2_Normalize").mkdir()
    _write(folder / "sentence_bert_config.json", {"max_seq_length": LENGTH, "do_lower_case": False})
    _write(folder / "config_sentence_transformers.json", config)


def sparse(folder: Path) -> None:
    """A SPLADE: a weight for each piece of the vocabulary, most of them zero."""
    from transformers import BertForMaskedLM

    said = words.wordpiece(length=LENGTH)
    BertForMaskedLM(_bert(said)).eval().save_pretrained(folder)
    words.keep(said, folder)
    sparse_module = "sentence_transformers.sparse_encoder.models."
    parts = [("", sparse_module + "MLMTransformer"), ("1_SpladePooling", sparse_module + "SpladePooling")]
    _write(folder / "modules.json", [{"idx": i, "name": str(i), "path": path, "type": kind} for i, (path, kind) in enumerate(parts)])
    _write(
        folder / "1_SpladePooling" / "config.json", {"pooling_strategy": "max", "activation_function": "relu", "word_embedding_dimension": len(said)}
    )
    _write(folder / "sentence_bert_config.json", {"max_seq_length": LENGTH, "do_lower_case": False})
    config = {"model_type": "SparseEncoder", "__version__": {"sentence_transformers": "5.0.0"}, "prompts": {}, "similarity_fn_name": "dot"}
    _write(folder / "config_sentence_transformers.json", config)


def rerank(folder: Path) -> None:
    """A cross-encoder of BERT's kind."""
    from transformers import BertForSequenceClassification

    said = words.wordpiece(length=LENGTH)
    BertForSequenceClassification(_bert(said, num_labels=1)).eval().save_pretrained(folder)
    words.keep(said, folder)


def xlmr_rerank(folder: Path) -> None:
    """A cross-encoder as the BGE rerankers are: XLM-RoBERTa, whose positions begin after the number of its padding."""
    from transformers import XLMRobertaConfig, XLMRobertaForSequenceClassification

    said = words.unigram(length=LENGTH)
    marks = {"pad_token_id": said.pad_token_id, "bos_token_id": said.bos_token_id, "eos_token_id": said.eos_token_id}
    config = XLMRobertaConfig(vocab_size=len(said), max_position_embeddings=LENGTH + 2, type_vocab_size=1, num_labels=1, **marks, **SHAPE)
    XLMRobertaForSequenceClassification(config).eval().save_pretrained(folder)
    words.keep(said, folder)


def clip(folder: Path) -> None:
    """Texts and pictures in one space."""
    from transformers import CLIPConfig, CLIPModel

    said = words.clip()
    marks = {"bos_token_id": said.bos_token_id, "eos_token_id": said.eos_token_id, "pad_token_id": said.pad_token_id}
    text = {"vocab_size": len(said), "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2, **marks}
    seen = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 32, "patch_size": 8}
    CLIPModel(CLIPConfig(text_config=text, vision_config=seen, projection_dim=64)).eval().save_pretrained(folder)
    words.keep(said, folder, "CLIPTokenizer")
    preprocessor(folder, 32)


def preprocessor(folder: Path, size: int) -> None:
    """How CLIP wants its pictures."""
    statistics = {"image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]}
    steps = {"do_resize": True, "do_center_crop": True, "do_rescale": True, "do_normalize": True, "do_convert_rgb": True}
    sizes = {"size": {"shortest_edge": size}, "crop_size": {"height": size, "width": size}, "resample": 3, "rescale_factor": 1 / 255}
    _write(folder / "preprocessor_config.json", {"image_processor_type": "CLIPImageProcessor", **steps, **sizes, **statistics})


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1))
