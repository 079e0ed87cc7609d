"""Chat templates by name, for models that come without one: the files in ``templates/``, and whose format each writes.

A format is a fact that its models' makers have published; the page is named with it. Renders nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent / "templates"


@dataclass(frozen=True, slots=True)
class NamedTemplate:
    """A chat template that comes with the workbench.

    Attributes
    ----------
    name : str
        What is written in ``chat_template=``.
    models : str
        The models that were trained on its format.
    page : str
        Where the format is published.
    tools : bool
        Whether it tells the model about tools.
    """

    name: str
    models: str
    page: str
    tools: bool = False

    @property
    def path(self) -> Path:
        """Its file."""
        return _FOLDER / f"{self.name}.jinja"

    @property
    def text(self) -> str:
        """Jinja."""
        return self.path.read_text(encoding="utf-8")


NAMED = {
    t.name: t
    for t in (
        NamedTemplate("alpaca", "Stanford Alpaca and what was trained on its data", "https://github.com/tatsu-lab/stanford_alpaca"),
        NamedTemplate("chatml", "Qwen, Yi, OpenHermes, SmolLM and many fine-tunes", "https://huggingface.co/docs/transformers/chat_templating"),
        NamedTemplate("deepseek", "DeepSeek V2.5, V3, R1", "https://huggingface.co/deepseek-ai/DeepSeek-V3"),
        NamedTemplate("gemma", "Gemma 1 to 3", "https://ai.google.dev/gemma/docs/core/prompt-structure"),
        NamedTemplate("glm4", "GLM-4", "https://huggingface.co/zai-org/glm-4-9b-chat-hf"),
        NamedTemplate("llama2", "Llama 2 Chat", "https://huggingface.co/blog/llama2#how-to-prompt-llama-2"),
        NamedTemplate("llama3", "Llama 3 and 3.1 Instruct", "https://www.llama.com/docs/model-cards-and-prompt-formats/meta-llama-3/"),
        NamedTemplate(
            "mistral", "Mistral 7B Instruct v0.3, Mixtral 8x22B", "https://docs.mistral.ai/cookbook/concept-deep-dive-tokenization-chat_templates"
        ),
        NamedTemplate(
            "mistral_v1", "Mistral 7B Instruct v0.1 and v0.2", "https://docs.mistral.ai/cookbook/concept-deep-dive-tokenization-chat_templates"
        ),
        NamedTemplate("phi3", "Phi-3", "https://huggingface.co/microsoft/Phi-3-mini-4k-instruct"),
        NamedTemplate("qwen", "Qwen 2.5 and 3, with tools and thinking", "https://qwen.readthedocs.io/en/latest/framework/function_call.html", True),
        NamedTemplate("vicuna", "Vicuna 1.1 to 1.5", "https://github.com/lm-sys/FastChat/blob/main/docs/vicuna_weights_version.md"),
        NamedTemplate("zephyr", "Zephyr 7B, TinyLlama Chat", "https://huggingface.co/HuggingFaceH4/zephyr-7b-beta"),
    )
}
