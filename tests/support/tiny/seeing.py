"""Tiny models for pictures: Stable Diffusion, and two that see. Random weights: what they draw and say has no sense."""

from __future__ import annotations

import json
from pathlib import Path

import encoders
import talk
import torch
import words

TEXT = {"hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}
SIDE = 56


def sd(folder: Path) -> None:
    """Text to image, image to image and inpainting, 64 × 64 pixels. Needs diffusers."""
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    said = words.clip()
    marks = {"bos_token_id": said.bos_token_id, "eos_token_id": said.eos_token_id, "pad_token_id": said.pad_token_id}
    text = CLIPTextConfig(vocab_size=len(said), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, **marks)
    common = {"block_out_channels": (32, 64), "norm_num_groups": 8}
    down, up = ("DownBlock2D", "CrossAttnDownBlock2D"), ("CrossAttnUpBlock2D", "UpBlock2D")
    attention = {"cross_attention_dim": 32, "attention_head_dim": 8, "layers_per_block": 1, "sample_size": 32}
    unet = UNet2DConditionModel(in_channels=4, out_channels=4, down_block_types=down, up_block_types=up, **attention, **common)
    blocks = {"down_block_types": ("DownEncoderBlock2D",) * 2, "up_block_types": ("UpDecoderBlock2D",) * 2}
    vae = AutoencoderKL(in_channels=3, out_channels=3, latent_channels=4, **blocks, **common)
    StableDiffusionPipeline(
        vae=vae,
        text_encoder=CLIPTextModel(text),
        tokenizer=said,
        unet=unet,
        scheduler=DDIMScheduler(steps_offset=1, clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)


def llava(folder: Path) -> None:
    """LLaVA with CLIP's eyes and a Qwen2's words."""
    from transformers import LlavaConfig, LlavaForConditionalGeneration

    said = talk.tokenizer("<image>", picture="<image>\n")
    eyes = {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 3, "num_attention_heads": 2, "image_size": SIDE, "patch_size": 14}
    speech = {"model_type": "qwen2", "vocab_size": talk.VOCABULARY, "max_position_embeddings": talk.LENGTH, **TEXT, **talk.ends(said)}
    config = LlavaConfig(
        vision_config={"model_type": "clip_vision_model", "projection_dim": 64, **eyes},
        text_config=speech,
        image_token_index=said.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
    )
    LlavaForConditionalGeneration(config).eval().to(torch.bfloat16).save_pretrained(folder)
    words.keep(said, folder)
    encoders.preprocessor(folder, SIDE)
    told = {"processor_class": "LlavaProcessor", "patch_size": 14, "image_token": "<image>", "num_additional_image_tokens": 1}
    (folder / "processor_config.json").write_text(json.dumps({**told, "vision_feature_select_strategy": "default"}, indent=1))


def qwen2vl(folder: Path) -> None:
    """Qwen2-VL; its processor's files are those that vLLM and transformers read."""
    from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

    marks = ("<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>")
    said = talk.tokenizer(*marks, picture="<|vision_start|><|image_pad|><|vision_end|>")
    number = said.convert_tokens_to_ids
    eyes = {"depth": 3, "embed_dim": 128, "hidden_size": 256, "num_heads": 2, "mlp_ratio": 2, "patch_size": 14, "in_channels": 3}
    turning = {"rope_type": "default", "mrope_section": [8, 12, 12], "rope_theta": 1e6}
    speech = {"vocab_size": talk.VOCABULARY, "max_position_embeddings": talk.LENGTH, "rope_parameters": turning, **TEXT, **talk.ends(said)}
    config = Qwen2VLConfig(
        vision_config={**eyes, "spatial_merge_size": 2, "temporal_patch_size": 2},
        text_config=speech,
        image_token_id=number("<|image_pad|>"),
        video_token_id=number("<|video_pad|>"),
        vision_start_token_id=number("<|vision_start|>"),
        vision_end_token_id=number("<|vision_end|>"),
    )
    Qwen2VLForConditionalGeneration(config).eval().to(torch.bfloat16).save_pretrained(folder)
    words.keep(said, folder, "Qwen2Tokenizer")
    encoders.preprocessor(folder, SIDE)
    path = folder / "preprocessor_config.json"
    steps = {k: v for k, v in json.loads(path.read_text()).items() if k not in ("do_center_crop", "crop_size", "size")}
    steps |= {"image_processor_type": "Qwen2VLImageProcessor", "patch_size": 14, "merge_size": 2, "temporal_patch_size": 2}
    path.write_text(json.dumps({**steps, "min_pixels": SIDE**2, "max_pixels": (2 * SIDE) ** 2}, indent=1))
