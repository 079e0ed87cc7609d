"""What pip was told on this machine, in uv's words. uv ignores pip's configuration; a user who set a mirror, a local
folder of wheels or a certificate for pip expects it to count here too. Does not know what gets installed.

Run by its path, it runs a command with these variables: ``python pip_settings.py uv pip install …``.

The places and their order are pip's own (https://pip.pypa.io/en/stable/topics/configuration/): the machine's file, the
user's, the interpreter's, then ``PIP_CONFIG_FILE``, then ``PIP_*`` variables; the section ``[install]`` before ``[global]``.
"""

from __future__ import annotations

import configparser
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path


def config_files(env: Mapping[str, str]) -> list[Path]:
    """The files that pip reads, the weakest first."""
    named = env.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return []
    home = Path(env.get("HOME") or Path.home())
    found = [Path(d) / "pip/pip.conf" for d in reversed((env.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep))]
    if sys.platform == "darwin":
        found = [Path("/Library/Application Support/pip/pip.conf")]
    found += [Path("/etc/pip.conf"), home / ".pip/pip.conf"]
    mac = home / "Library/Application Support/pip"
    found.append(mac / "pip.conf" if mac.is_dir() else Path(env.get("XDG_CONFIG_HOME") or home / ".config") / "pip/pip.conf")
    found.append(Path(sys.prefix) / "pip.conf")
    return [*found, Path(named)] if named else found


def read(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """pip's settings by their option names (``find-links``, ``index-url``, …)."""
    env = os.environ if env is None else env
    values: dict[str, str] = {}
    for section in ("global", "install"):
        for path in config_files(env):
            parser = configparser.RawConfigParser()
            try:
                parser.read(path, encoding="utf-8")
            except (configparser.Error, OSError, UnicodeDecodeError):
                continue  # pip itself complains about a broken file; an environment can still be built
            if parser.has_section(section):
                values.update({k.replace("_", "-"): v for k, v in parser.items(section)})
    for key, value in env.items():
        if key.upper().startswith("PIP_") and key.upper() not in ("PIP_CONFIG_FILE",) and value:
            values[key[4:].lower().replace("_", "-")] = value
    return values


def chooses_packages(values: Mapping[str, str]) -> bool:
    """Whether pip was told where packages come from, so that the choice of a torch build is the user's already."""
    return any(values.get(k, "").strip() for k in ("find-links", "index-url", "extra-index-url", "no-index"))


def _links(value: str) -> list[str]:
    return [os.path.expanduser(v) for v in value.split()]


def uv_variables(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """Variables for a uv process that make it do as pip would. A variable of uv's own that the user set stays."""
    env = os.environ if env is None else env
    pip = read(env)
    out: dict[str, str] = {"UV_PYTHON_DOWNLOADS": "never"}
    if pip.get("find-links"):
        out["UV_FIND_LINKS"] = ",".join(_links(pip["find-links"]))
    if pip.get("index-url"):
        out["UV_DEFAULT_INDEX"] = pip["index-url"].strip()
    if pip.get("extra-index-url"):
        out["UV_EXTRA_INDEX_URL"] = " ".join(_links(pip["extra-index-url"]))
        out["UV_INDEX_STRATEGY"] = "unsafe-best-match"  # pip treats all indexes alike; uv's default is the first that knows the name
    if pip.get("no-index", "").strip().lower() in ("1", "true", "yes", "on"):
        out["UV_NO_INDEX"] = "1"
    if pip.get("trusted-host"):
        out["UV_INSECURE_HOST"] = " ".join(pip["trusted-host"].split())
    if pip.get("cert"):
        out["SSL_CERT_FILE"] = os.path.expanduser(pip["cert"].strip())
    if pip.get("client-cert"):
        out["SSL_CLIENT_CERT"] = os.path.expanduser(pip["client-cert"].strip())
    if pip.get("proxy"):
        out["HTTPS_PROXY"] = out["HTTP_PROXY"] = pip["proxy"].strip()
    timeout = pip.get("timeout") or pip.get("default-timeout")
    if timeout and re.fullmatch(r"\s*\d+(\.\d+)?\s*", timeout):
        out["UV_HTTP_TIMEOUT"] = str(max(1, int(float(timeout))))
    if pip.get("retries", "").strip().isdigit():
        out["UV_HTTP_RETRIES"] = pip["retries"].strip()
    overridden = {"UV_DEFAULT_INDEX": "UV_INDEX_URL", "UV_EXTRA_INDEX_URL": "UV_INDEX", "HTTPS_PROXY": "https_proxy"}
    return {k: v for k, v in out.items() if not env.get(k) and not env.get(overridden.get(k, k))}


def redact(text: str) -> str:
    """The text without the name and password that an index address may carry."""
    return re.sub(r"(\w+://)[^/\s@]+@", r"\1***@", text)


if __name__ == "__main__":
    os.execvpe(sys.argv[1], sys.argv[1:], {**os.environ, **uv_variables()})
