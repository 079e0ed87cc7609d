"""The signs by which files tell a model's type, as data: names of architectures, pipelines, tags and tasks. The first line that fits counts.

Sources: the auto classes of transformers (https://huggingface.co/docs/transformers/model_doc/auto), the pipelines of diffusers
(https://huggingface.co/docs/diffusers/api/pipelines/overview), the tasks of the hubs (https://huggingface.co/tasks and
https://modelscope.cn/docs/model-service/task-introduction) and, for models with code of their own, their configuration files. Reads nothing;
`workbench.runtime.inspecting.model_type` weighs the signs.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Sign(NamedTuple):
    """What an architecture's name tells: the type, what it takes beside text, and the types that it may be asked to be as well."""

    pattern: re.Pattern[str]
    type: str
    takes: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


def _sign(pattern: str, type: str, takes: str = "", also: str = "") -> Sign:
    return Sign(re.compile(pattern), type, tuple(takes.split()), tuple(also.split()))


ARCHITECTURES = (
    # Those that sort things are none of the types that are served.
    _sign(r"For(Token|Audio|AudioFrame|Image|Video|ZeroShotObject)Classification$|ForObjectDetection$|Segmentation$", "classify"),
    _sign(r"ForQuestionAnswering$|ForMultipleChoice$|ForRewardModel$|ForProcessReward|ForTimeSeries|DepthEstimation$", "classify"),
    # Speech to text. Voxtral also talks about what it hears.
    _sign(r"^Voxtral", "stt", "audio", "vlm llm"),
    _sign(r"ForCTC$|SpeechSeq2Seq|SpeechToText|^SpeechEncoderDecoder|^Speech2Text|^Whisper|^Moonshine|^Parakeet|^Canary|Transcribe", "stt", "audio"),
    _sign(r"^SeamlessM4T\w*Model$", "stt", "audio", "tts"),
    _sign(r"A(SR|sr)(For|Model|Nano|$)|^Granite\w*Speech|^SenseVoice|^FunAsr|^FireRed|^DolphinASR", "stt", "audio"),
    # Text to speech and music.
    _sign(r"^Vits|^Bark|TextToSpeech|^FastSpeech2|^Musicgen|^MusicGen|TTS|^CsmFor|^DiaFor|^HiggsAudio|^VibeVoiceFor|^Kokoro|^StyleTTS", "tts"),
    # Texts and pictures in one space.
    _sign(
        r"^(Chinese|Alt|Jina|Meta|EVA|Open|Long)?(CLIP|Clip)2?Model$|^Siglip2?Model$|^AlignModel$|^FlavaModel$|ImageTextRetrieval$",
        "cross_modal_embed",
        "image",
    ),
    _sign(
        r"^Col(Pali|Qwen|Idefics|SmolVLM|ModernVBert|Flor)|^JinaEmbeddingsV4|^GmeQwen|^MMEmbed|^NVEmbedVL|VLForEmbedding|^ClapModel$",
        "cross_modal_embed",
        "image",
    ),
    _sign(r"For(Text)?(Re)?[Rr]ank(ing|er)$|Reranker?(Model|For)", "rerank"),
    # Chats that see or hear, whose configuration does not always say so.
    _sign(r"Omni|^Phi4(MM|Multimodal)|^Gemma3n|^MiniCPMO", "vlm", "image audio", "llm stt"),
    _sign(r"^Qwen2Audio|^Ultravox|^AudioFlamingo|^MusicFlamingo|^SALMONN|^KimiAudio", "vlm", "audio", "llm stt"),
    _sign(
        r"VL(?![a-z])|V[Ll](Moe|For|Hybrid|Chat)|VLM|Vlm|[Ll]lava|LLaVA|^Idefics|^Pixtral|^Mllama|^Molmo|^Ovis|^PaliGemma|^Florence|^Fuyu",
        "vlm",
        "image",
        "llm",
    ),
    _sign(
        r"^MiniCPMV|^Phi3V|^Kosmos|Blip|^Janus|^MultiModality|^Emu3|^AriaFor|^Chameleon|O(CR|cr)|^Moondream|^NVLM|^AyaVision|Vision",
        "vlm",
        "image",
        "llm",
    ),
    _sign(r"^Llama4ForCond|^Gemma[34]ForCond|^Gemma4Unified|^Mistral3ForCond|^GitFor|^Pix2Struct|^Udop|^ImageTextToText", "vlm", "image", "llm"),
    # Texts. What is told here may be told better by a tag or a name.
    _sign(
        r"ForCausalLM$|LMHeadModel$|ForConditionalGeneration$|MTModel$|ChatModel$|^ChatGLM|^QWen|^RWForCausalLM|ForBlockDiffusion$",
        "llm",
        "",
        "embed",
    ),
    _sign(
        r"ForMaskedLM$|EncoderModel$|ForPreTraining$|ForSparseEmbedding|ForTextEmbedding|QuestionEncoder$|ContextEncoder$|BidirectionalModel$|BiModel$",
        "embed",
    ),
    _sign(r"Model$", "embed"),
)
WEAK = ("llm", "embed")  # types that a tag or the name may correct, when the architecture's name alone told them

SEES = ("vision_config", "visual", "img_processor", "mm_vision_tower", "vision_tower", "image_token_id", "image_token_index", "vision_encoder_config")
HEARS = ("audio_config", "audio_processor", "audio_encoder_config", "sound_config")

PIPELINES = (  # diffusers' pipelines, by model_index.json's _class_name
    (re.compile(r"Video|^Wan|^LTX|^Mochi|^Allegro|^CogVideo|^AnimateDiff|^Latte|^Cosmos\w*World|^SkyReels|^EasyAnimate|^Kandinsky5"), "text2video"),
    (re.compile(r"Audio|^MusicLDM|^AceStep"), "text2audio"),
    (re.compile(r"Edit|Kontext|Pix2Pix|Img2Img|Inpaint|^FluxFill|Image2Image|Upscale|^PaintByExample|^OmniGen2?Edit"), "image_editing"),
    (re.compile(r"."), "sd"),
)

TAGS = {  # the hub's pipeline_tag
    "any-to-any": "vlm",
    "audio-text-to-text": "vlm",
    "automatic-speech-recognition": "stt",
    "feature-extraction": "embed",
    "fill-mask": "embed",
    "image-text-to-text": "vlm",
    "image-to-image": "image_editing",
    "image-to-text": "vlm",
    "image-to-video": "text2video",
    "sentence-similarity": "embed",
    "text-generation": "llm",
    "text-ranking": "rerank",
    "text-to-audio": "tts",
    "text-to-image": "sd",
    "text-to-speech": "tts",
    "text-to-video": "text2video",
    "text2text-generation": "llm",
    "token-classification": "classify",
    "translation": "llm",
    "summarization": "llm",
    "video-text-to-text": "vlm",
    "visual-document-retrieval": "cross_modal_embed",
    "visual-question-answering": "vlm",
    "zero-shot-image-classification": "cross_modal_embed",
}
TASKS = {  # ModelScope's configuration.json
    "auto-speech-recognition": "stt",
    "chat": "llm",
    "image-captioning": "vlm",
    "image-text-to-text": "vlm",
    "image-to-image-generation": "image_editing",
    "multi-modal-embedding": "cross_modal_embed",
    "multimodal-dialogue": "vlm",
    "sentence-embedding": "embed",
    "text-generation": "llm",
    "text-ranking": "rerank",
    "text-to-image-synthesis": "sd",
    "text-to-speech": "tts",
    "text-to-video-synthesis": "text2video",
    "visual-question-answering": "vlm",
}
FILES = {  # files that only such models have, for those without a config.json
    "am.mvn": "stt",
    "cosyvoice.yaml": "tts",
    "cosyvoice2.yaml": "tts",
    "cosyvoice3.yaml": "tts",
    "tts_weights.pth": "tts",
}
REFINED = (  # what a name tells of a model whose architecture would do for several types; whole words only
    (re.compile(r"(^|[-_/. ])(re-?rank(er|ing)?s?)([-_/. ]|$)"), "rerank"),
    (re.compile(r"(^|[-_/. ])(embed(ding|ded|der)?s?)([-_/. ]|$)"), "embed"),
)
REWARDS = re.compile(r"(^|[-_/. ])(reward|rm)([-_/. ]|$)")  # names of models that score answers
GGUF_EMBEDS = frozenset(
    {"bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "jina-bert-v3", "modern-bert", "neo-bert", "gemma-embedding", "t5encoder"}
)
