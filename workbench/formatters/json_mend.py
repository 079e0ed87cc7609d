"""JSON as models write it when they err: single quotes, names without quotes, comments, missing commas and brackets.

One pass without recursion, linear in what it passes over, and with no guess that could change what was said: where it is not
clear what the writer meant, it says so. Published repairers guess on, and may take time that grows with the square of the
text where quotes stand inside texts. Knows nothing of what stands around the value.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

DEEPEST = 200
"""Levels of nesting; what is deeper is no mistake but an attack on whatever walks the value next."""

_DICT_START = r"\{\s*+(?:\}|[\"'“]|(?://|/\*|#)|(?:[^\W\d][\w$-]{0,80}|-?\d{1,18})[\"']?\s*+:)"
_SCALAR = r"(?:-?\.?\d[\w.+-]{0,40}|true|false|null|None|True|False|NaN)\s*+[,\]]"
_LOOKS = re.compile(rf"{_DICT_START}|\[\s*+(?:\[\s*+){{0,8}}(?:[\"'“]|(?://|/\*|#)|{_DICT_START}|{_SCALAR})")
_SURE = re.compile(r"(?:\[\s*+)?\{\s*+\"")

_BLANK = re.compile(r"(?:\s++|//[^\n]*+|/\*.*?\*/|#[^\n]*+)*+", re.DOTALL)
_END = re.compile(r"```|</think>")
_KEY_START = r"(?:\"[^\"\n]{0,200}\"|'[^'\n]{0,200}'|“[^”\n]{0,200}”|[\w$-]{1,80})\s*+:"
_COMMENT = r"//|/\*|#"
_AFTER = {  # what may stand behind a quote that closes
    "key": re.compile(r"\s*+:"),
    "dict": re.compile(rf"\s*+(?:[}}\]]|\Z|```|{_COMMENT}|[,;]\s*+(?:[}}]|\Z|{_COMMENT}|{_KEY_START})|{_KEY_START})"),
    "list": re.compile(
        rf"\s*+(?:[}}\]]|\Z|```|{_COMMENT}|[,;]\s*+(?:\]|\Z|{_COMMENT}|[\"'“{{\[]|-?\d|(?:true|false|null|None|True|False)\b))|\s*+\n\s*+[\"'“]"
    ),
}
_OVER = re.compile(r"\s*+\Z")
_NEXT_QUOTE = re.compile(r"\s++[\"'“]")
_CLOSING = {'"': '"', "'": "'", "“": "”"}
_STOP = {quote: re.compile(rf"[{closing}\\]") for quote, closing in _CLOSING.items()}
_BARE_KEY = re.compile(r"[^\s\"'“{}\[\],:;][^\"'“{}\[\],:;\n]{0,80}+")
_BARE = re.compile(r"[^\s,;:{}\[\]()\"'“`<>][^,;{}\[\]\"“\n]{0,200}+")
_BARE_END = re.compile(r"\s+(?://|#|/\*)")
_SWALLOWED = re.compile(r"[\"']\s*[:;]\s*[\"'\d\[{]")
_NAME_INSIDE = re.compile(r"\s[\w$]+\s*:(?:\s|$)")
_LITERALS = {"true": True, "false": False, "null": None, "none": None, "undefined": None, "nan": float("nan"), "infinity": float("inf")}
_NUMBER = re.compile(r"[+-]?(?:0|[1-9]\d*|[1-9]\d{0,2}(?:_\d{3})+|(?:0|[1-9]\d*)?\.\d+|(?:0|[1-9]\d*)\.)(?:[eE][+-]?\d+)?")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "'": "'", "\n": "", "”": "”"}
_HEX = re.compile(r"[0-9a-fA-F]{4}")


class Unmendable(Exception):
    """It cannot be told what was meant: where, why, and whether the text just ends there."""

    def __init__(self, at: int, why: str, cut: bool = False, reached: int = 0) -> None:
        super().__init__(at, why, cut)
        self.at, self.why, self.cut, self.reached = at, why, cut, max(at, reached)


def looks_like_json(text: str, at: int) -> bool:
    """Whether the bracket there may begin a value, and not a remark in running text."""
    return _LOOKS.match(text, at) is not None


def surely_json(text: str, at: int) -> bool:
    """Whether the bracket there begins a dict with a quoted name, or a list of such."""
    return _SURE.match(text, at) is not None


def mend(text: str, start: int, may_close: bool = True) -> tuple[Any, int]:
    """The value whose bracket is at ``start``, and where it ends.

    Parameters
    ----------
    may_close : bool
        Whether brackets that are missing at the text's end may be added: not when it is known that the text was cut off.

    Raises
    ------
    Unmendable
        When it is not clear what was meant.
    """
    return _Mender(text, start, may_close).run()


class _Mender:
    def __init__(self, text: str, start: int, may_close: bool) -> None:
        self.text, self.at, self.may_close = text, start, may_close
        self.stack: list[list[Any] | dict[str, Any]] = []
        self.dicts = 0
        self.key = ""
        self.root: Any = None

    def fail(self, why: str, at: int | None = None, cut: bool = False) -> NoReturn:
        raise Unmendable(self.at if at is None else at, why, cut, self.at)

    def run(self) -> tuple[Any, int]:
        self.open()
        separated = True  # whether a value may come without a comma before it being missed
        while self.stack:
            self.blank()
            if self.at >= len(self.text) or _END.match(self.text, self.at):
                self.end(separated)
                break
            c = self.text[self.at]
            if c in "]}":
                self.close(c)
                separated = False
            elif c in ",;":
                if separated and self.stack[-1]:
                    self.fail("two commas have nothing between them")
                if separated:
                    self.fail("a comma has nothing before it")
                self.at += 1
                separated = True
            else:
                depth = len(self.stack)
                self.entry()
                separated = len(self.stack) > depth
        return self.root, self.at

    def blank(self) -> None:
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at
        if self.text.startswith("/*", self.at):
            raise Unmendable(self.at, "a comment that begins there is never closed", reached=len(self.text))

    def open(self) -> None:
        made: list[Any] | dict[str, Any] = {} if self.text[self.at] == "{" else []
        if not self.stack:
            self.root = made
        else:
            self.put(made)
        if len(self.stack) >= DEEPEST:
            self.fail(f"it is nested more than {DEEPEST} levels deep")
        self.stack.append(made)
        self.dicts += isinstance(made, dict)
        self.at += 1

    def close(self, c: str) -> None:
        """Close the innermost container of that kind, and what stands open inside it."""
        kind = list if c == "]" else dict
        if (len(self.stack) - self.dicts if c == "]" else self.dicts) == 0:
            self.fail(f"{c!r} closes nothing")
        while True:
            closed = self.stack.pop()
            self.dicts -= isinstance(closed, dict)
            if isinstance(closed, kind):
                break
        self.at += 1

    def end(self, separated: bool) -> None:
        """The text is over, and something is still open: what was said is whole only when nothing more was announced."""
        if self.at >= len(self.text) and (separated or not self.may_close):
            self.fail("the text ends before the JSON does", cut=True)
        self.stack.clear()

    def entry(self) -> None:
        """A value; in a dict, its key before it."""
        if isinstance(self.stack[-1], dict):
            self.key = self.name()
            self.blank()
            if self.at >= len(self.text):
                self.fail("a value is missing", cut=True)
        c = self.text[self.at]
        if c in "[{":
            self.open()
        elif c in _CLOSING:
            self.put(self.string(c, "dict" if isinstance(self.stack[-1], dict) else "list"))
        else:
            self.put(self.bare())

    def put(self, value: Any) -> None:
        top = self.stack[-1]
        if isinstance(top, dict):
            top[self.key] = value
        else:
            top.append(value)

    def name(self) -> str:
        began = self.at
        if self.text[self.at] in _CLOSING:
            name = self.string(self.text[self.at], "key")
        else:
            found = _BARE_KEY.match(self.text, self.at)
            if not found:
                self.fail("a name is expected")
            self.at, name = found.end(), found[0].strip()
            if self.text.startswith(('":', "':"), self.at):
                self.at += 1
        self.blank()
        if not self.text.startswith(":", self.at):
            over = self.at >= len(self.text)
            self.fail("the text ends before the JSON does" if over else "a name with a colon behind it is expected", began, over)
        if len(name) > 200 or '"' in name:
            self.fail("a name's quotes are not clear", began)
        self.at += 1
        return name

    def string(self, quote: str, place: str) -> str:
        """A quoted text; a quote inside it closes only where something follows that may stand behind a text."""
        began, text, closing = self.at, self.text, _CLOSING[quote]
        self.at += 1
        if text.startswith('""', self.at) and quote == '"' and (end := text.find('"""', self.at + 2)) >= 0:
            self.at = end + 3
            return text[began + 3 : end]
        parts: list[str] = []
        inner = False
        while True:
            found = _STOP[quote].search(text, self.at)
            if not found:
                self.at = len(text)
                self.fail("a text that begins there is never closed", began, cut=True)
            parts.append(text[self.at : found.start()])
            self.at = found.end()
            if found[0] == "\\":
                parts.append(self.escape())
            elif _AFTER[place].match(text, self.at) or (place == "list" and not inner and _NEXT_QUOTE.match(text, self.at)):
                break
            elif place == "key":
                over = _OVER.match(text, self.at) is not None
                self.fail("the text ends before the JSON does" if over else "a colon is expected", cut=over)
            else:
                inner = True
                parts.append(closing)
        said = "".join(parts)
        if "</think>" in said or (inner and _SWALLOWED.search(said)):
            self.fail("the quotes of a text that begins there are not clear", began)
        return said

    def escape(self) -> str:
        c = self.text[self.at : self.at + 1]
        self.at += 1
        if c != "u" or not (code := _HEX.match(self.text, self.at)):
            return _ESCAPES.get(c, "\\" + c)
        self.at += 4
        high = int(code[0], 16)
        if 0xD800 <= high < 0xDC00 and self.text.startswith("\\u", self.at) and (code := _HEX.match(self.text, self.at + 2)):
            low = int(code[0], 16)
            if 0xDC00 <= low < 0xE000:
                self.at += 6
                return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
        return chr(high)

    def bare(self) -> Any:
        """A literal, a number, or a short text without quotes where a name stands before it."""
        found = _BARE.match(self.text, self.at)
        if not found:
            self.fail("a value is expected")
        comment = _BARE_END.search(found[0])
        said = (found[0][: comment.start()] if comment else found[0]).rstrip()
        word = said.lower().lstrip("+")
        if word in _LITERALS or word == "-infinity":
            value: Any = float("-inf") if word == "-infinity" else _LITERALS[word]
        elif _NUMBER.fullmatch(said):
            value = self.number(said)
        elif said.strip(".…") == "":
            self.fail("something was left out there ('…')")
        elif not self.dicts or len(said.split()) > 8 or _NAME_INSIDE.search(said):
            self.fail("a text without quotes stands there")
        else:
            value = said
        self.at += len(said)
        return value

    def number(self, said: str) -> float:
        try:
            return int(said) if said.lstrip("+-").replace("_", "").isdigit() else float(said)
        except ValueError:
            self.fail("a number is too long")
