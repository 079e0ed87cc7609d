"""The words of the static forms, English and Chinese: what the words.ts of js/widgets/ are for the live ones.

A static form is drawn in the kernel, which does not know the browser: its language is that of the kernel's locale.
"""

from __future__ import annotations

import os
from functools import cache

_CHINESE = {
    "Best eval": "最佳评估",
    "Cause": "原因",
    "Failed": "失败",
    "Finished": "已完成",
    "Fix": "解决",
    "Idle": "空闲",
    "Lost": "失联",
    "Queued": "排队",
    "Running": "运行中",
    "Starting": "启动中",
    "Stopped": "已停止",
    "Stopping": "停止中",
    "Training": "训练中",
    "Evaluating": "评估中",
    "Memory": "内存",
    "Cores": "核心",
    "Use": "使用率",
    "Held by": "占用者",
    "What": "用途",
    "System": "系统",
    "Row": "行",
    "Input": "输入",
    "Expected": "期望",
    "Output": "输出",
    "Error": "错误",
    "Loss": "损失",
    "Step": "步",
    "train": "训练",
    "eval": "评估",
    "You": "你",
    "Score": "得分",
    "step {step} / {steps}": "第 {step} / {steps} 步",
    "{rows} rows": "{rows} 行",
    "{errors} errors": "{errors} 个错误",
    "and {rows} more rows": "另有 {rows} 行",
    "deployment": "部署",
    "fine-tuning job": "微调任务",
    "notebook": "笔记本",
    "outside the workbench": "工作台之外",
    "first token {time}": "首词元 {time}",
    "{speed} tok/s": "{speed} 词元/秒",
    "{tokens} tokens": "{tokens} 词元",
    "No messages yet.": "还没有消息。",
    "better": "更好",
    "worse": "更差",
    "same": "相同",
    "inconclusive": "未定",
}


@cache
def _chinese(*variables: str) -> bool:
    return next((v for v in variables if v), "").lower().startswith("zh")


def say(text: str, **values: object) -> str:
    """The text in the language of the kernel's locale, with ``{name}`` filled in."""
    variables = (os.environ.get("LC_ALL", ""), os.environ.get("LC_MESSAGES", ""), os.environ.get("LANG", ""))
    found = _CHINESE.get(text, text) if _chinese(*variables) else text
    return found.format(**values) if values else found
