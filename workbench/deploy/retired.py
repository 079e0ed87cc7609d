"""Names that people know from other frameworks: the engine of ours that does the same, or what took the place of one that has gone.

Data only. Names are in lower case, without ``Deploy`` at their end.
"""

from __future__ import annotations

ALIASES: dict[str, str] = {
    "autodeploy": "auto",
    "llamacpp": "llama_cpp",
    "llama.cpp": "llama_cpp",
    "gguf": "llama_cpp",
    "hf": "transformers",
    "huggingface": "transformers",
    "embedding": "sentence_transformers",
    "embed": "sentence_transformers",
    "rerank": "sentence_transformers",
    "reranker": "sentence_transformers",
    "flagembedding": "sentence_transformers",
    "sentencetransformers": "sentence_transformers",
    "infinityembed": "infinity",
    "infinityrerank": "infinity",
    "stablediffusion": "diffusers",
    "stable_diffusion": "diffusers",
    "sd": "diffusers",
    "text2image": "diffusers",
    "stt": "speech",
    "whisper": "speech",
    "funasr": "sensevoice",
    "tts": "speech",
    "bark": "speech",
    "musicgen": "speech",
}
"""What others call it → our engine's name."""

RETIRED: dict[str, str] = {
    "chattts": "ChatTTS is no longer maintained: use wb.deploy.speech with a text-to-speech model of transformers, such as facebook/mms-tts-eng.",
    "mindie": "MindIE comes with Ascend's own images: start it there and attach with url='http://…/v1/', "
    "or serve on Ascend with wb.deploy.lmdeploy, device='ascend'.",
    "ocr": "Text in pictures is read by models that see: TrainableModule('…').start()('What does it say?', files=['page.png']).",
    "bert": "Classifiers are no chat models: serve a function that runs one, wb.ServerModule(function).",
    "relayserver": "A function is served with wb.ServerModule(function).",
    "relay": "A function is served with wb.ServerModule(function).",
    "distributed": "Several GPUs: wb.deploy.vllm with tensor_parallel_size=…; several machines: add distributed_executor_backend='ray', nnodes=….",
    "ray": "Several GPUs: wb.deploy.vllm with tensor_parallel_size=…; several machines: add distributed_executor_backend='ray', nnodes=….",
    "tgi": "Text Generation Inference is no longer developed: use wb.deploy.vllm or wb.deploy.sglang; attach to one that runs with url='http://…/v1/'.",
    "ollama": "Ollama is a program of its own: talk to it with wb.OnlineModule(source='ollama').",
    "easyllm": "It never served anything: use wb.deploy.auto.",
}
"""What others call it → what to use instead."""


def known_as(name: str) -> str:
    """The lower-case form that the tables have."""
    plain = name.strip().lower().replace("-", "_")
    return plain if plain in ALIASES or plain in RETIRED else plain.removesuffix("deploy").rstrip("_") or plain
