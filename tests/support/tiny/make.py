"""``make.py FOLDER KIND …``: makes tiny models, each in a folder of its kind's name. Run by an environment's interpreter."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "CUDA_VISIBLE_DEVICES": ""}


def main() -> None:
    import encoders
    import hearing
    import seeing
    import talk
    import torch

    makers = {
        **{made.__name__: made for made in (talk.chat, talk.lora, encoders.embed, encoders.bert, encoders.sparse, encoders.rerank)},
        **{made.__name__: made for made in (encoders.xlmr_rerank, encoders.clip, hearing.whisper, hearing.vits)},
        **{made.__name__: made for made in (seeing.sd, seeing.llava, seeing.qwen2vl)},
    }
    root = Path(sys.argv[1])
    torch.set_num_threads(1)  # sums in another order would be another model
    for kind in sys.argv[2:]:
        began, folder = time.monotonic(), root / kind
        shutil.rmtree(folder, ignore_errors=True)
        torch.manual_seed(0)
        makers[kind](folder)
        print(f"{kind}: {time.monotonic() - began:.1f} s", flush=True)


if __name__ == "__main__":
    main()
