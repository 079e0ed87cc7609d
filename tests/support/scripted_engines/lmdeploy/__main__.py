"""``lmdeploy serve api_server MODEL …`` of LMDeploy 0.18.0, as far as the tests give it arguments; anything else is refused."""

import argparse

import uvicorn
from scripted_app import app_of

parser = argparse.ArgumentParser("lmdeploy")
parser.add_argument("command", choices=["serve"])
parser.add_argument("kind", choices=["api_server"])
parser.add_argument("model_path")
parser.add_argument("--server-name", default="0.0.0.0")
parser.add_argument("--server-port", type=int, default=23333)
parser.add_argument("--model-name")
parser.add_argument("--backend", choices=["pytorch", "turbomind"], default="turbomind")
parser.add_argument("--tp", type=int, default=1)
parser.add_argument("--session-len", type=int)
parser.add_argument("--max-batch-size", type=int)
parser.add_argument("--quant-policy", default="0")
parser.add_argument("--model-format", choices=["hf", "awq", "gptq", "compressed-tensors", "fp8", "mxfp4"])
parser.add_argument("--eager-mode", action="store_true")
parser.add_argument("--enable-prefix-caching", action="store_true")
parser.add_argument("--adapters", nargs="*")

if __name__ == "__main__":
    args = parser.parse_args()
    print("HINT:    Please open http://server in a browser for detailed api usage!!!", flush=True)
    uvicorn.run(app=app_of("lmdeploy", args.model_name or args.model_path), host=args.server_name, port=args.server_port, log_level="info")
