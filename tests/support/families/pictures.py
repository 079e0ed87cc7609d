"""Tiny pipelines of diffusers with random weights, one function a family. Run by the environment ``diffusers``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers as d
import pieces
import words
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, T5Config, T5EncoderModel

WIDTH = 32


def sdxl(folder: Path) -> None:
    """Stable Diffusion XL: two CLIPs, a U-Net that is told the size."""
    _sdxl(d.StableDiffusionXLPipeline).save_pretrained(folder)


def sdxl_pix2pix(folder: Path) -> None:
    """SDXL's InstructPix2Pix, which looks at the picture in every step and calls nobody back after one."""
    _sdxl(d.StableDiffusionXLInstructPix2PixPipeline, 8).save_pretrained(folder)


def sd_inpaint(folder: Path) -> None:
    """Stable Diffusion for holes: nine channels, of which four are noise."""
    common = {"block_out_channels": (32, 64), "norm_num_groups": 8, "layers_per_block": 1, "sample_size": 8}
    down, up = ("DownBlock2D", "CrossAttnDownBlock2D"), ("CrossAttnUpBlock2D", "UpBlock2D")
    sizes = {"cross_attention_dim": WIDTH, "attention_head_dim": 8}
    unet = d.UNet2DConditionModel(in_channels=9, out_channels=4, down_block_types=down, up_block_types=up, **sizes, **common)
    said = words.clip()
    none = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    scheduler = d.DDIMScheduler(steps_offset=1, clip_sample=False)
    d.StableDiffusionInpaintPipeline(_vae(), _clip(said), said, unet, scheduler, **none).save_pretrained(folder)


def sd3(folder: Path) -> None:
    """Stable Diffusion 3: two CLIPs and a T5, a transformer."""
    said, t5 = words.clip(), pieces.t5(77)
    transformer = d.SD3Transformer2DModel(
        sample_size=8,
        patch_size=2,
        in_channels=16,
        out_channels=16,
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=4,
        joint_attention_dim=2 * WIDTH,
        caption_projection_dim=WIDTH,
        pooled_projection_dim=2 * WIDTH,
        pos_embed_max_size=32,
    )
    d.StableDiffusion3Pipeline(
        transformer=transformer,
        scheduler=d.FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=_vae(16, shift_factor=0.06),
        text_encoder=_clip(said, projected=True),
        tokenizer=said,
        text_encoder_2=_clip(said, projected=True),
        tokenizer_2=words.clip(),
        text_encoder_3=_t5(t5, 2 * WIDTH),
        tokenizer_3=t5,
    ).save_pretrained(folder)


def flux(folder: Path) -> None:
    """FLUX.1 dev: guidance is an input of the weights."""
    d.FluxPipeline(**_flux(True)).save_pretrained(folder)


def kontext(folder: Path) -> None:
    """FLUX.1 Kontext, which changes pictures by itself."""
    d.FluxKontextPipeline(**_flux(False)).save_pretrained(folder)


def pixart(folder: Path) -> None:
    """PixArt: a T5 and a transformer; sizes are cut out of its own."""
    t5 = pieces.t5(77)
    transformer = d.PixArtTransformer2DModel(
        sample_size=32,
        num_layers=1,
        patch_size=2,
        in_channels=4,
        out_channels=8,
        attention_head_dim=8,
        num_attention_heads=4,
        caption_channels=WIDTH,
        cross_attention_dim=WIDTH,
        use_additional_conditions=False,
    )
    parts: dict[str, Any] = {"tokenizer": t5, "text_encoder": _t5(t5), "vae": _vae(), "transformer": transformer}
    d.PixArtSigmaPipeline(scheduler=d.DPMSolverMultistepScheduler(), **parts).save_pretrained(folder)


def _sdxl(pipeline: Any, channels: int = 4) -> Any:
    unet = d.UNet2DConditionModel(
        sample_size=16,
        in_channels=channels,
        out_channels=4,
        block_out_channels=(32, 64),
        norm_num_groups=8,
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 4),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=WIDTH + 6 * 8,
        cross_attention_dim=2 * WIDTH,
    )
    said = words.clip()
    scheduler = d.EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1)
    return pipeline(
        vae=_vae(force_upcast=True),
        text_encoder=_clip(said),
        text_encoder_2=_clip(said, projected=True),
        tokenizer=said,
        tokenizer_2=words.clip(),
        unet=unet,
        scheduler=scheduler,
    )


def _flux(guidance: bool) -> dict[str, Any]:
    said, t5 = words.clip(), pieces.t5(77)
    transformer = d.FluxTransformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        pooled_projection_dim=WIDTH,
        axes_dims_rope=(4, 4, 8),
        guidance_embeds=guidance,
    )
    scheduler = d.FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True)
    texts = {"text_encoder": _clip(said), "tokenizer": said, "text_encoder_2": _t5(t5), "tokenizer_2": t5}
    return {"transformer": transformer, "scheduler": scheduler, "vae": _vae(4, shift_factor=0.1), **texts}


def _vae(latent: int = 4, **more: Any) -> Any:
    """Eight pixels a side for one number, as the real ones."""
    kinds = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
    return d.AutoencoderKL(latent_channels=latent, block_out_channels=(8,) * 4, norm_num_groups=4, sample_size=64, **kinds, **more)


def _clip(said: Any, *, projected: bool = False) -> Any:
    marks = {"bos_token_id": said.bos_token_id, "eos_token_id": said.eos_token_id, "pad_token_id": said.pad_token_id}
    sizes = {"hidden_size": WIDTH, "projection_dim": WIDTH, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(CLIPTextConfig(vocab_size=len(said), **sizes, **marks))


def _t5(said: Any, width: int = WIDTH) -> Any:
    return T5EncoderModel(T5Config(vocab_size=len(said), d_model=width, d_kv=8, d_ff=64, num_layers=2, num_heads=4))
