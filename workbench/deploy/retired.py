"""Names that people know from other frameworks: the engine of ours that does the same, or what took the place of one that has gone, and the
same for arguments that theirs have and ours have not.

Data only. Names of engines are in lower case, without ``Deploy`` at their end.
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
    "abstractembedding": "sentence_transformers",
    "huggingfaceembedding": "sentence_transformers",
    "lazyhuggingfaceembedding": "sentence_transformers",
    "lazyflagembedding": "sentence_transformers",
    "lazyhuggingfacererank": "sentence_transformers",
    "crossmodalembed": "sentence_transformers",
    "crossmodalembedding": "sentence_transformers",
    "sentencetransformers": "sentence_transformers",
    "infinity_emb": "infinity",
    "infinityembed": "infinity",
    "infinityrerank": "infinity",
    "stablediffusion": "diffusers",
    "stable_diffusion": "diffusers",
    "stablediffusion3": "diffusers",
    "sd": "diffusers",
    "sd3": "diffusers",
    "text2image": "diffusers",
    "sgl": "sglang",
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
    "mindie": "MindIE comes with Ascend's own images: start it there and attach with deploy_method(wb.deploy.vllm, url='http://…/v1/'), "
    "or serve on Ascend with wb.deploy.lmdeploy, device='ascend'.",
    "ocr": "Text in pictures is read by models that see: TrainableModule('…').start()('What does it say?', files=['page.png']).",
    "bert": "Classifiers are no chat models: serve a function that runs one, wb.ServerModule(function).",
    "relayserver": "A function is served with wb.ServerModule(function).",
    "relay": "A function is served with wb.ServerModule(function).",
    "distributed": "Several GPUs: wb.deploy.vllm with tensor_parallel_size=…; several machines: add distributed_executor_backend='ray', nnodes=….",
    "ray": "Several GPUs: wb.deploy.vllm with tensor_parallel_size=…; several machines: add distributed_executor_backend='ray', nnodes=….",
    "tgi": "Text Generation Inference is no longer developed: use wb.deploy.vllm or wb.deploy.sglang; attach to one that runs with url='http://…/v1/'.",
    "ollama": "Ollama is a program of its own: talk to it with wb.OnlineModule(source='ollama').",
    "tei": "Vectors and rankings: wb.deploy.sentence_transformers or wb.deploy.infinity; attach to one that runs with url='http://…/v1/embeddings'.",
    "tensorrt": "TensorRT-LLM has a server of its own (trtllm-serve): attach to it with url='http://…/v1/', or use wb.deploy.vllm.",
    "tensorrt_llm": "TensorRT-LLM has a server of its own (trtllm-serve): attach to it with url='http://…/v1/', or use wb.deploy.vllm.",
    "triton": "Attach to Triton's OpenAI form with url='http://…/v1/', or use wb.deploy.vllm.",
    "deepspeed": "DeepSpeed's own inference is no longer developed: use wb.deploy.vllm with tensor_parallel_size=….",
    "deepspeed_mii": "DeepSpeed's own inference is no longer developed: use wb.deploy.vllm with tensor_parallel_size=….",
    "xinference": "Xinference is a program of its own: attach to it with url='http://…/v1/'.",
    "fastchat": "FastChat is no longer developed: use wb.deploy.vllm or wb.deploy.sglang; attach to one that runs with url='http://…/v1/'.",
    "openai": "A server in OpenAI's form: deploy_method(wb.deploy.vllm, url='http://…/v1/'); OpenAI itself: wb.OnlineModule(source='openai').",
    "mlx": "MLX serves with mlx_lm.server: attach to it with url='http://…/v1/'; on a Mac wb.deploy.llama_cpp uses the GPU, too.",
    "llm": "The engine is wb.deploy.vllm; the type belongs to the module, TrainableModule('…', type='llm'), and start() chooses an engine for it.",
    "vlm": "The engine is wb.deploy.vllm; the type belongs to the module, TrainableModule('…', type='vlm'), and start() chooses an engine for it.",
    "set_default": "There is no default to be set: name the engine where it is used, deploy_method(wb.deploy.vllm).",
    "default": "There is no default to be set: name the engine where it is used, deploy_method(wb.deploy.vllm).",
    "easyllm": "It never served anything: use wb.deploy.auto.",
}
"""What others call it → what to use instead."""


_GPUS = "Leave it out: it runs on this machine. How many GPUs an engine takes is its own argument, such as tensor_parallel_size=2 for vLLM."
_SPLIT = "This engine does not split a model over GPUs so: wb.deploy.vllm, wb.deploy.sglang and wb.deploy.lmdeploy do."
_KEY = "Leave it out: each deployment has a key of its own, in the file m.endpoint.key_file."
_HERE = "Leave it out: it listens on this machine only. From another one: ssh -L 8000:127.0.0.1:PORT this-machine, with the port of m.endpoint.url."
_NAME = "Leave it out: callers write m.endpoint.model."
_ROOM = (
    "It is the room for all conversations, in LightLLM and SGLang. How long one may be has the engine's own name: "
    "max_model_len for vLLM, session_len for LMDeploy, n_ctx for llama.cpp."
)
_PATH = "Give it to the module: TrainableModule('folder or name')."

ARGUMENTS: dict[str, str] = {
    "launcher": _GPUS,
    "ngpus": _GPUS,
    "num_gpus": _GPUS,
    "gpus_per_worker": _GPUS,
    "log_path": "Leave it out: m.deployment.logs() is the log.",
    "stream": "Say it where it is called: m.stream('…').",
    "trust_remote_code": "Leave it out: this engine runs no code that comes with a model.",
    "host": _HERE,
    "server_name": _HERE,
    "server_port": "Write port=….",
    "ssl": _HERE,
    "ssl_keyfile": _HERE,
    "ssl_certfile": _HERE,
    "api_keys": _KEY,
    "security_key": _KEY,
    "model_name": _NAME,
    "served_model_name": _NAME,
    "model": _PATH,
    "model_path": _PATH,
    "model_dir": _PATH,
    "base_model": _PATH,
    "finetuned_model": _PATH,
    "name": "Leave it out: the model's files say which it is.",
    "model_type": "Give it to the module: TrainableModule('…', type='embed').",
    "num_replicas": "A second one of the very same: deploy_method(…, variant='b'); in one server: data_parallel_size=… of vLLM, SGLang and LMDeploy.",
    "num_workers": "Leave it out: one server answers many callers at once; max_num_seqs=… of vLLM says how many.",
    "options_keys": "Write each flag as an argument: enable_prefix_caching=True.",
    "optional_keys": "Give the parameters where it is called, m('…', top_k=5), or for every call with defaults={…}.",
    "infer_params": "Write each as an argument of its own, without 'backend.'.",
    "tp": _SPLIT,
    "tensor_parallel_size": _SPLIT,
    "max_total_token_num": _ROOM,
}
"""Arguments that other frameworks' engines have → what to do instead, where an engine of ours has none of that name."""


def instead(argument: str) -> str:
    """What to do instead of an argument that an engine does not know; empty where nothing is known of it."""
    if argument.startswith("backend."):
        return f"Write it without 'backend.': {argument.removeprefix('backend.')}=…."
    return ARGUMENTS.get(argument.strip("-").replace("-", "_").lower(), "")


def known_as(name: str) -> str:
    """The lower-case form that the tables have."""
    plain = name.strip().lower().replace("-", "_")
    return plain if plain in ALIASES or plain in RETIRED else plain.removesuffix("deploy").rstrip("_") or plain
