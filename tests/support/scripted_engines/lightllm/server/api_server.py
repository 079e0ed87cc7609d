"""``python -m lightllm.server.api_server`` as far as the tests give it arguments. As LightLLM does, it starts another process for HTTP."""

import argparse
import os
import subprocess
import sys

parser = argparse.ArgumentParser("lightllm.server.api_server")
parser.add_argument("--model_dir", required=True)
parser.add_argument("--model_name", default="default_model_name")
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int, default=8000)
parser.add_argument("--tp", type=int, default=1)
parser.add_argument("--max_total_token_num", type=int)
parser.add_argument("--max_req_total_len", type=int, default=16384)
parser.add_argument("--trust_remote_code", action="store_true")

if __name__ == "__main__":
    args = parser.parse_args()
    command = [sys.executable, "-m", "uvicorn", "--host", args.host, "--port", str(args.port), "lightllm.server.api_http:app"]
    sys.exit(subprocess.call(command, env={**os.environ, "LIGHTLLM_MODEL_NAME": args.model_name}))
