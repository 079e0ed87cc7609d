"""Of which type a model is: from the shapes that the files of published models have, and from names of models that are not here."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from workbench.core.kinds import KINDS
from workbench.core.models import ModelMeta
from workbench.providers import model_names
from workbench.runtime.inspecting.model_type import of_gguf
from workbench.runtime.inspecting.models import inspect

ST = "sentence_transformers.models."
POOLED = [f"{ST}Transformer", f"{ST}Pooling", f"{ST}Normalize"]


def folder(place: Path, name: str, files: dict[str, Any]) -> Path:
    """A model's folder: a JSON file for each entry, the classes of ``modules.json`` from a list, a README from its front matter."""
    made = place / name
    made.mkdir()
    header = json.dumps({"w": {"dtype": "F16", "shape": [2, 4], "data_offsets": [0, 16]}})
    (made / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header.encode() + bytes(16))
    for file, value in files.items():
        path = made / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if file == "modules.json":
            value = [{"idx": i, "name": str(i), "path": "" if not i else f"{i}_M", "type": t} for i, t in enumerate(value)]
        path.write_text(value if isinstance(value, str) else json.dumps(value))
    return made


def config(architecture: str, **more: Any) -> dict[str, Any]:
    return {"config.json": {"architectures": [architecture], **more}}


def readme(tag: str = "", *tags: str, library: str = "") -> dict[str, str]:
    lines = ["---", "license: apache-2.0", *(["pipeline_tag: " + tag] if tag else []), *([f"library_name: {library}"] if library else [])]
    return {"README.md": "\n".join([*lines, "tags:", *(f"- {t}" for t in tags), "---", "# A model", "pipeline_tag: text-to-speech"])}


SEES, HEARS = {"vision_config": {"hidden_size": 8}}, {"audio_config": {"hidden_size": 8}}
CASES: list[tuple[str, dict[str, Any], str]] = [
    # vectors
    ("bge-small-en-v1.5", {**config("BertModel", model_type="bert"), "modules.json": POOLED, **readme("feature-extraction")}, "embed"),
    ("bge-m3", {**config("XLMRobertaModel"), "modules.json": POOLED, **readme("sentence-similarity")}, "embed"),
    ("multilingual-e5-large", {**config("XLMRobertaModel"), "modules.json": POOLED}, "embed"),
    ("e5-mistral-7b-instruct", {**config("MistralModel"), "modules.json": POOLED[:2]}, "embed"),
    ("gte-Qwen2-1.5B-instruct", {**config("Qwen2ForCausalLM"), "modules.json": POOLED, **readme("sentence-similarity")}, "embed"),
    ("gte-multilingual-base", {**config("NewModel", auto_map={"AutoModel": "modeling.NewModel"}), "modules.json": POOLED}, "embed"),
    ("Qwen3-Embedding-0.6B", {**config("Qwen3ForCausalLM"), "modules.json": POOLED, "1_Pooling/config.json": {}}, "embed"),
    ("embeddinggemma-300m", {**config("Gemma3TextModel"), "modules.json": [*POOLED[:2], f"{ST}Dense", f"{ST}Dense"]}, "embed"),
    ("jina-embeddings-v3", {**config("XLMRobertaModel"), "modules.json": ["custom_st.Transformer", *POOLED[1:]]}, "embed"),
    ("nomic-embed-text-v1.5", {**config("NomicBertModel"), "modules.json": POOLED}, "embed"),
    (
        "splade-v3",
        {**config("BertForMaskedLM"), "modules.json": [f"{ST}Transformer", "sentence_transformers.sparse_encoder.models.SpladePooling"]},
        "embed",
    ),
    ("bert-base-uncased", config("BertForMaskedLM"), "embed"),
    ("some-encoder", config("ModernBertModel"), "embed"),
    ("mine", {**config("Qwen3ForCausalLM"), **readme("feature-extraction")}, "embed"),
    ("Qwen3-Embedding-0.6B-ft", config("Qwen3ForCausalLM"), "embed"),
    # texts and pictures in one space
    ("clip-vit-base-patch32", config("CLIPModel", **SEES, text_config={}), "cross_modal_embed"),
    ("siglip-so400m-patch14-384", config("SiglipModel", **SEES), "cross_modal_embed"),
    ("siglip2-base", config("Siglip2Model", **SEES), "cross_modal_embed"),
    ("chinese-clip-vit-base-patch16", config("ChineseCLIPModel"), "cross_modal_embed"),
    ("jina-clip-v2", config("JinaCLIPModel", **SEES), "cross_modal_embed"),
    ("clip-ViT-B-32", {"modules.json": [f"{ST}CLIPModel"]}, "cross_modal_embed"),
    ("jina-embeddings-v4", config("JinaEmbeddingsV4Model", **SEES), "cross_modal_embed"),
    ("jina-embeddings-v4", {**config("JinaEmbeddingsV4Model", **SEES), "modules.json": ["custom_st.Transformer"]}, "cross_modal_embed"),
    ("jina-clip-v2", {**config("JinaCLIPModel", **SEES), "modules.json": ["custom_st.Transformer", f"{ST}Normalize"]}, "cross_modal_embed"),
    ("Qwen3-VL-Embedding-2B", config("Qwen3VLForConditionalGeneration", **SEES), "cross_modal_embed"),
    ("colpali-v1.3", {**config("ColPaliForRetrieval"), **readme("visual-document-retrieval")}, "cross_modal_embed"),
    # rankings
    ("bge-reranker-v2-m3", config("XLMRobertaForSequenceClassification", id2label={"0": "LABEL_0"}), "rerank"),
    ("bge-reranker-base", {**config("XLMRobertaForSequenceClassification", id2label={"0": "LABEL_0"}), **readme("text-classification")}, "rerank"),
    ("jina-reranker-v2-base-multilingual", config("XLMRobertaForSequenceClassification", num_labels=1), "rerank"),
    ("jina-reranker-m0", config("JinaVLForRanking", **SEES), "rerank"),
    ("gte-multilingual-reranker-base", config("NewForSequenceClassification", id2label={"0": "LABEL_0"}), "rerank"),
    ("Qwen3-Reranker-0.6B", {**config("Qwen3ForCausalLM"), **readme("text-ranking")}, "rerank"),
    ("Qwen3-Reranker-0.6B-copy", config("Qwen3ForCausalLM"), "rerank"),
    ("bge-reranker-v2-gemma", {**config("GemmaForCausalLM"), **readme("text-classification", "sentence-transformers")}, "rerank"),
    (
        "my-cross-encoder",
        {**config("BertForSequenceClassification", num_labels=3), "config_sentence_transformers.json": {"model_type": "CrossEncoder"}},
        "rerank",
    ),
    (
        "new-cross-encoder",
        {
            **config("Qwen3ForCausalLM"),
            "config_sentence_transformers.json": {"model_type": "CrossEncoder"},
            "modules.json": [
                "sentence_transformers.base.modules.transformer.Transformer",
                "sentence_transformers.cross_encoder.modules.logit_score.LogitScore",
            ],
        },
        "rerank",
    ),
    # neither: a classifier
    ("sentiment", config("BertForSequenceClassification", id2label={"0": "bad", "1": "good"}), "classify"),
    ("ner", config("BertForTokenClassification"), "classify"),
    ("Skywork-Reward-V2-Qwen3-4B", config("Qwen3ForSequenceClassification", num_labels=1), "classify"),
    # speech to text
    ("whisper-large-v3-turbo", config("WhisperForConditionalGeneration", model_type="whisper"), "stt"),
    ("wav2vec2-base-960h", config("Wav2Vec2ForCTC"), "stt"),
    ("parakeet-ctc-1.1b", config("ParakeetForCTC"), "stt"),
    ("granite-speech-3.3-2b", config("GraniteSpeechForConditionalGeneration"), "stt"),
    ("Qwen3-ASR-0.6B", config("Qwen3ASRForConditionalGeneration"), "stt"),
    ("Voxtral-Mini-3B-2507", config("VoxtralForConditionalGeneration", **HEARS), "stt"),
    ("speecht5_asr", config("SpeechT5ForSpeechToText"), "stt"),
    ("SenseVoiceSmall", {"configuration.json": {"task": "auto-speech-recognition"}, "am.mvn": "x", "config.yaml": "model: SenseVoiceSmall"}, "stt"),
    ("mine", {"configuration.json": {"task": "auto-speech-recognition"}}, "stt"),
    # speech
    ("mms-tts-eng", config("VitsModel", model_type="vits"), "tts"),
    ("bark-small", config("BarkModel"), "tts"),
    ("speecht5_tts", config("SpeechT5ForTextToSpeech"), "tts"),
    ("musicgen-small", {**config("MusicgenForConditionalGeneration"), **readme("text-to-audio")}, "tts"),
    ("parler-tts-mini-v1", config("ParlerTTSForConditionalGeneration"), "tts"),
    ("csm-1b", config("CsmForConditionalGeneration"), "tts"),
    ("orpheus-3b-0.1-ft", {**config("LlamaForCausalLM"), **readme("text-to-speech")}, "tts"),
    ("CosyVoice2-0.5B", {"cosyvoice2.yaml": "sample_rate: 24000"}, "tts"),
    ("Kokoro-82M", {"config.json": {"n_layer": 3}, **readme("text-to-speech")}, "tts"),
    # pictures
    ("stable-diffusion-v1-5", {"model_index.json": {"_class_name": "StableDiffusionPipeline"}}, "sd"),
    ("sdxl", {"model_index.json": {"_class_name": "StableDiffusionXLPipeline"}}, "sd"),
    ("sd3", {"model_index.json": {"_class_name": "StableDiffusion3Pipeline"}}, "sd"),
    ("FLUX.1-schnell", {"model_index.json": {"_class_name": "FluxPipeline"}, **readme("text-to-image")}, "sd"),
    ("Qwen-Image", {"model_index.json": {"_class_name": "QwenImagePipeline"}}, "sd"),
    ("FLUX.1-Kontext-dev", {"model_index.json": {"_class_name": "FluxKontextPipeline"}, **readme("image-to-image")}, "image_editing"),
    ("Qwen-Image-Edit", {"model_index.json": {"_class_name": "QwenImageEditPipeline"}}, "image_editing"),
    ("Qwen-Image-Edit-2509", {"model_index.json": {"_class_name": "QwenImageEditPlusPipeline"}}, "image_editing"),
    ("instruct-pix2pix", {"model_index.json": {"_class_name": "StableDiffusionInstructPix2PixPipeline"}}, "image_editing"),
    ("inpainting", {"model_index.json": {"_class_name": "StableDiffusionInpaintPipeline"}}, "image_editing"),
    ("Wan2.2", {"model_index.json": {"_class_name": "WanPipeline"}}, "text2video"),
    # chats that see or hear
    ("llava-1.5-7b-hf", config("LlavaForConditionalGeneration", **SEES, image_token_index=32000), "vlm"),
    ("Qwen2-VL-2B-Instruct", config("Qwen2VLForConditionalGeneration", **SEES), "vlm"),
    ("Qwen2.5-VL-3B-Instruct", config("Qwen2_5_VLForConditionalGeneration", **SEES), "vlm"),
    ("Qwen3-VL-2B", config("Qwen3VLForConditionalGeneration", **SEES), "vlm"),
    ("Qwen3.5-9B", config("Qwen3_5ForConditionalGeneration", **SEES, text_config={}), "vlm"),
    ("Qwen-VL-Chat", config("QWenLMHeadModel", visual={"width": 8}), "vlm"),
    ("InternVL3-8B", config("InternVLChatModel", **SEES, llm_config={}), "vlm"),
    ("InternVL3-8B-hf", config("InternVLForConditionalGeneration", **SEES), "vlm"),
    ("glm-4v-9b", config("ChatGLMModel", **SEES), "vlm"),
    ("gemma-3-4b-it", config("Gemma3ForConditionalGeneration", **SEES), "vlm"),
    ("gemma-3n-E2B-it", config("Gemma3nForConditionalGeneration", **SEES, **HEARS), "vlm"),
    ("Phi-4-multimodal-instruct", config("Phi4MMForCausalLM", model_type="phi4mm", audio_processor={}, img_processor=None), "vlm"),
    ("Phi-3.5-vision-instruct", config("Phi3VForCausalLM", img_processor={}), "vlm"),
    ("MiniCPM-V-2_6", config("MiniCPMV", vision_config={}), "vlm"),
    ("Llama-3.2-11B-Vision", config("MllamaForConditionalGeneration", **SEES), "vlm"),
    ("Mistral-Small-3.1", config("Mistral3ForConditionalGeneration", **SEES), "vlm"),
    ("SmolVLM-256M", config("SmolVLMForConditionalGeneration", **SEES), "vlm"),
    ("DeepSeek-OCR", config("DeepseekOCRForCausalLM", vision_config={}), "vlm"),
    ("Qwen2.5-Omni-7B", config("Qwen2_5OmniModel", thinker_config={**SEES, **HEARS}), "vlm"),
    ("Qwen2-Audio-7B-Instruct", config("Qwen2AudioForConditionalGeneration", **HEARS), "vlm"),
    ("my-vision-chat", {**config("TinyForCausalLM"), **readme("image-text-to-text")}, "vlm"),
    # chats
    ("gemma-3-1b-it", config("Gemma3ForCausalLM", model_type="gemma3_text"), "llm"),
    ("Qwen3-8B", {**config("Qwen3ForCausalLM"), **readme("text-generation")}, "llm"),
    ("gpt2", config("GPT2LMHeadModel"), "llm"),
    ("chatglm3-6b", config("ChatGLMModel"), "llm"),
    ("flan-t5-base", config("T5ForConditionalGeneration"), "llm"),
    ("opus-mt-en-de", config("MarianMTModel"), "llm"),
    ("mine", config("Qwen3ForCausalLM"), "llm"),
    ("mine", {}, "llm"),
    # no architecture: what else there is
    ("mine", {"config.json": {"model_type": "whisper"}}, "stt"),
    ("mine", {"config.json": {"model_type": "qwen2_vl"}}, "vlm"),
    ("mine", {"config.json": {}, **readme("", "sentence-transformers", library="sentence-transformers")}, "embed"),
    ("mine", {"config.json": {}, **readme("text-to-image")}, "sd"),
    ("bge-large-zh-v1.5", {"config.json": {}}, "embed"),
]


@pytest.mark.parametrize(("name", "files", "expected"), CASES, ids=[f"{i}-{n}" for i, (n, _, _) in enumerate(CASES)])
def test_the_type_is_told_by_the_files(tmp_path: Path, name: str, files: dict[str, Any], expected: str) -> None:
    meta = inspect(folder(tmp_path, name, files))
    assert meta.type == expected, meta.told_by
    assert meta.told_by
    json.dumps(meta.to_json())


@pytest.mark.parametrize(
    ("name", "files", "takes"),
    [
        ("a", config("Qwen3ForCausalLM"), {"text"}),
        ("a", config("Qwen2VLForConditionalGeneration", **SEES, video_token_id=5), {"text", "image", "video"}),
        ("a", config("Gemma3nForConditionalGeneration"), {"text", "image", "audio"}),
        ("a", config("Qwen2AudioForConditionalGeneration"), {"text", "audio"}),
        ("a", config("WhisperForConditionalGeneration"), {"audio"}),
        ("a", {}, set()),
    ],
)
def test_it_is_told_what_a_model_can_be_given(tmp_path: Path, name: str, files: dict[str, Any], takes: set[str]) -> None:
    assert set(inspect(folder(tmp_path, name, files)).takes) == takes


def test_types_that_the_user_may_name_instead(tmp_path: Path) -> None:
    def may(name: str, files: dict[str, Any]) -> set[str]:
        meta = inspect(folder(tmp_path, name, files))
        return {meta.type, *meta.also}

    assert may("chat", config("Qwen3ForCausalLM")) == {"llm", "embed"}
    assert may("Qwen3-Embedding-0.6B", {**config("Qwen3ForCausalLM"), "modules.json": POOLED}) == {"embed", "llm"}
    assert may("Qwen3-Reranker", config("Qwen3ForCausalLM")) == {"rerank", "llm", "embed"}
    assert may("bge", {**config("BertModel"), "modules.json": POOLED}) == {"embed"}
    assert may("ranks", config("BertForSequenceClassification")) == {"rerank"}
    assert may("films", {"model_index.json": {"_class_name": "WanPipeline"}}) == {"text2video", "sd"}  # a film of one frame is a picture
    assert {"vlm", "llm"} <= may("sees", config("Qwen2VLForConditionalGeneration"))
    assert may("unknown", {}) == set(KINDS)


def test_what_is_told_of_vectors_adapters_and_quantization(tmp_path: Path) -> None:
    vectors = inspect(
        folder(
            tmp_path,
            "v",
            {
                **config("BertModel", hidden_size=384, max_position_embeddings=512),
                "modules.json": POOLED,
                "sentence_bert_config.json": {"max_seq_length": 256},
                "1_Pooling/config.json": {"word_embedding_dimension": 384, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False},
            },
        )
    )
    assert (vectors.details["dimensions"], vectors.details["pooling"], vectors.context_length) == (384, "cls_token", 256)
    dense = {f"{n}_M/config.json": {"out_features": size} for n, size in ((2, 3072), (3, 768))}
    pooled = {"1_M/config.json": {"word_embedding_dimension": 768}, "modules.json": [*POOLED[:2], f"{ST}Dense", f"{ST}Dense", POOLED[2]]}
    assert inspect(folder(tmp_path, "gemma", {**config("Gemma3TextModel", hidden_size=768), **pooled, **dense})).details["dimensions"] == 768
    sparse = inspect(
        folder(tmp_path, "s", {**config("BertForMaskedLM", vocab_size=30522), "modules.json": ["sentence_transformers.sparse_encoder.X"]})
    )
    assert sparse.details["sparse"]
    assert sparse.details["dimensions"] == 30522
    awq = inspect(folder(tmp_path, "q", config("Qwen3ForCausalLM", quantization_config={"quant_method": "awq", "bits": 4})))
    assert awq.quantization == "awq 4 bit"
    four = inspect(folder(tmp_path, "b", config("Qwen3ForCausalLM", quantization_config={"quant_method": "bitsandbytes", "load_in_4bit": True})))
    assert four.quantization == "bitsandbytes 4 bit"
    template = inspect(folder(tmp_path, "t", {**config("Qwen3ForCausalLM"), "tokenizer_config.json": {"chat_template": "{{ x }}"}}))
    assert (template.chat_template, template.has_chat_template) == ("tokenizer_config.json", True)


@pytest.mark.parametrize(("kind", "context"), [("xlm-roberta", 8192), ("roberta", 8192), ("bert", 8194)])
def test_positions_that_count_late_are_no_tokens(tmp_path: Path, kind: str, context: int) -> None:
    assert inspect(folder(tmp_path, "m", config("SomeModel", model_type=kind, max_position_embeddings=8194))).context_length == context


def test_a_pipelines_weights_are_those_of_its_parts(tmp_path: Path) -> None:
    made = folder(tmp_path, "sd", {"model_index.json": {"_class_name": "FluxPipeline"}})
    for part in ("unet", "vae"):
        (made / part).mkdir()
        for name in ("model.safetensors", "model.fp16.safetensors"):
            (made / part / name).write_bytes((made / "model.safetensors").read_bytes())
    meta = inspect(made)
    assert (meta.format, meta.architecture, meta.parameters) == ("safetensors", "FluxPipeline", 16)


@pytest.mark.parametrize(
    ("architecture", "pooling", "name", "sees", "expected"),
    [
        ("qwen3", 0, "Qwen3-8B-Q4_K_M", False, "llm"),
        ("qwen3", 3, "Qwen3-Embedding-0.6B-Q8_0", False, "embed"),
        ("qwen3", 0, "Qwen3-Reranker-0.6B", False, "rerank"),
        ("bert", 2, "bge-small", False, "embed"),
        ("bert", 0, "bge-small", False, "embed"),
        ("bert", 4, "bge-reranker-v2-m3", False, "rerank"),
        ("nomic-bert-moe", 1, "nomic", False, "embed"),
        ("qwen2vl", 0, "Qwen2-VL-2B", True, "vlm"),
        ("llama", 0, "llava", True, "vlm"),
    ],
)
def test_the_type_of_a_gguf(architecture: str, pooling: int, name: str, sees: bool, expected: str) -> None:
    assert of_gguf(architecture, pooling, name, sees).type == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no front matter",
        "---\nnever ends\npipeline_tag: text-to-speech",
        "---\n---\npipeline_tag: text-to-speech",
        "---\ntags: [a, 'b']\n: :\n- x\n---",
    ],
)
def test_a_readme_without_a_tag_tells_nothing(tmp_path: Path, text: str) -> None:
    assert inspect(folder(tmp_path, "m", {**config("Qwen3ForCausalLM"), "README.md": text})).type == "llm"


@pytest.mark.parametrize("text", ["[1, 2]", "{", '"x"', "null", '{"architectures": null}', '{"architectures": []}', "[" * 100_000])
def test_odd_files_are_no_trouble(tmp_path: Path, text: str) -> None:
    meta = inspect(
        folder(tmp_path, "m", {"config.json": text, "model_index.json": text if text != '{"architectures": []}' else "", "README.md": text})
    )
    assert isinstance(meta, ModelMeta)


NAMES = """
embed: BAAI/bge-m3 thenlper/gte-large intfloat/multilingual-e5-large sentence-transformers/all-MiniLM-L6-v2 Qwen/Qwen3-Embedding-0.6B nomic-embed-text
embed: NovaSearch/stella_en_1.5B_v5 shibing624/text2vec-base-chinese
rerank: BAAI/bge-reranker-v2-m3 Qwen/Qwen3-Reranker-0.6B cross-encoder/ms-marco-MiniLM-L6-v2 mixedbread-ai/mxbai-rerank-base-v2
cross_modal_embed: openai/clip-vit-base-patch32 google/siglip-base-patch16-224 jinaai/jina-clip-v2 Qwen/Qwen3-VL-Embedding-2B vidore/colpali-v1.3
cross_modal_embed: jinaai/jina-embeddings-v4 BAAI/bge-visualized
stt: openai/whisper-tiny FunAudioLLM/SenseVoiceSmall facebook/wav2vec2-base-960h nvidia/parakeet-tdt-0.6b-v3 Qwen/Qwen3-ASR-1.7B
tts: facebook/mms-tts-eng suno/bark-small microsoft/speecht5_tts facebook/musicgen-small 2Noise/ChatTTS hexgrad/Kokoro-82M
tts: FunAudioLLM/CosyVoice2-0.5B coqui/XTTS-v2
sd: stabilityai/stable-diffusion-3.5-medium stabilityai/sdxl-turbo stabilityai/sd-turbo black-forest-labs/FLUX.1-schnell Qwen/Qwen-Image
sd: HiDream-ai/HiDream-I1-Full
image_editing: black-forest-labs/FLUX.1-Kontext-dev Qwen/Qwen-Image-Edit-2509 timbrooks/instruct-pix2pix
vlm: llava-hf/llava-1.5-7b-hf Qwen/Qwen2.5-VL-3B-Instruct OpenGVLab/InternVL3-8B
vlm: HuggingFaceTB/SmolVLM-256M-Instruct microsoft/Phi-4-multimodal-instruct
vlm: google/gemma-3-4b-it google/paligemma2-3b-mix-224 mistralai/Pixtral-12B-2409 deepseek-ai/deepseek-vl2
vlm: meta-llama/Llama-4-Scout-17B-16E-Instruct deepseek-ai/DeepSeek-OCR openbmb/MiniCPM-V-2_6
"": google/gemma-3-1b-it Qwen/Qwen3-8B meta-llama/Llama-3.1-8B-Instruct mistralai/Mistral-7B-v0.3
"": deepseek-ai/DeepSeek-R1-Distill-Qwen-7B microsoft/phi-4
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [(name, line.partition(":")[0].strip('"')) for line in NAMES.strip().splitlines() for name in line.partition(":")[2].split()],
)
def test_the_type_is_told_by_the_name_of_a_model_that_is_not_here(name: str, expected: str) -> None:
    assert model_names.type_of(name) in ({"", "llm"} if not expected else {expected})


def test_weights_of_older_sentence_transformers_lie_in_a_folder_of_a_module(tmp_path: Path) -> None:
    whole = folder(tmp_path, "clip-ViT-B-32", {"modules.json": [f"{ST}CLIPModel"], "0_CLIPModel/config.json": {"architectures": ["CLIPModel"]}})
    (whole / "model.safetensors").rename(whole / "0_CLIPModel" / "model.safetensors")
    found = inspect(whole)
    assert (found.type, found.format, found.parameters) == ("cross_modal_embed", "safetensors", 8)
