"""What vLLM 0.32.0 serves beside chats, by the architecture in ``config.json``: from its registry of models
(``vllm/model_executor/models/registry.py``) and the classes there that can transcribe. A test compares where vLLM is installed.

Language models that make vectors or rank, such as Qwen3-Embedding, are not listed: vLLM turns any of them into one.
"""

from __future__ import annotations

_EMBEDS = """
BertModel BertForMaskedLM BertSpladeSparseEmbeddingModel BgeM3EmbeddingModel Gemma2Model Gemma3TextModel GteModel GteNewModel
JinaEmbeddingsV5Model LlamaBidirectionalModel LlamaModel MistralModel ModernBertModel NomicBertModel Qwen2Model RobertaForMaskedLM
RobertaModel VoyageQwen3BidirectionalEmbedModel XLMRobertaModel
"""
_RANKS = """
BertForSequenceClassification GPT2ForSequenceClassification GteNewForSequenceClassification JambaForSequenceClassification
LlamaBidirectionalForSequenceClassification ModernBertForSequenceClassification RobertaForSequenceClassification
XLMRobertaForSequenceClassification
"""
_HEARS = """
CohereAsrForConditionalGeneration FireRedASR2ForConditionalGeneration FunASRForConditionalGeneration Gemma3nForConditionalGeneration
GlmAsrForConditionalGeneration GraniteSpeechForConditionalGeneration
MossTranscribeDiarizeForConditionalGeneration Qwen3ASRForConditionalGeneration VoxtralForConditionalGeneration
WhisperForConditionalGeneration
"""

EMBEDS, RANKS, HEARS = (frozenset(names.split()) for names in (_EMBEDS, _RANKS, _HEARS))


def serves(architecture: str, type: str) -> bool:
    """Whether vLLM serves an architecture as a model of a type other than chat."""
    if type in ("embed", "rerank") and architecture.endswith(("ForCausalLM", "LMHeadModel")):
        return True
    return architecture in {"embed": EMBEDS, "rerank": RANKS, "stt": HEARS}.get(type, frozenset())
