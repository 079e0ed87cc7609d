"""``python -m sglang.launch_server`` of SGLang 0.5.23, as far as the tests give it arguments; anything else is refused."""

import argparse
import sys

import uvicorn
from scripted_app import app_of

parser = argparse.ArgumentParser("sglang.launch_server")
parser.add_argument("--model-path", "--model", required=True)
parser.add_argument("--served-model-name")
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int, default=30000)
parser.add_argument("--tp-size", "--tensor-parallel-size", type=int, default=1)
parser.add_argument("--context-length", type=int)
parser.add_argument("--chunked-prefill-size", type=int)
parser.add_argument("--lora-paths", nargs="*")
for flag in ("--skip-server-warmup", "--enable-metrics", "--is-embedding", "--disable-radix-cache", "--enable-lora", "--trust-remote-code"):
    parser.add_argument(flag, action="store_true")

if __name__ == "__main__":
    args = parser.parse_args()
    if not args.skip_server_warmup:
        sys.exit("Initialization failed. warmup error: it asks itself without the key")
    print(f"server_args={vars(args)}", flush=True)
    uvicorn.run(app_of("sglang", args.served_model_name or args.model_path), host=args.host, port=args.port, log_level="info")
