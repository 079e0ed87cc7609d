"""Ways to carry a key that are a header alone. Pure: credentials in, headers out.

Sources: https://learn.microsoft.com/azure/ai-foundry/openai/reference, https://learn.microsoft.com/azure/ai-services/speech-service/rest-text-to-speech,
https://www.volcengine.com/docs/6561/1598757, https://www.volcengine.com/docs/6561/1631584.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..core.protocols import HttpRequest

Headers = tuple[str, Mapping[str, str]]


def bearer(credentials: Mapping[str, str], request: HttpRequest, url: str) -> Headers:
    """``Authorization: Bearer``, whatever the dialect's own way is."""
    return url, {"Authorization": f"Bearer {credentials['key']}"} if credentials.get("key") else {}


def google(credentials: Mapping[str, str], request: HttpRequest, url: str) -> Headers:
    """Google's API key."""
    return url, {"x-goog-api-key": credentials["key"]}


def azure(credentials: Mapping[str, str], request: HttpRequest, url: str) -> Headers:
    """Azure OpenAI: an Entra token (``ad_token``) before the resource's ``api-key``."""
    if credentials.get("ad_token"):
        return url, {"Authorization": f"Bearer {credentials['ad_token']}"}
    return url, {"api-key": credentials["key"]}


def azure_speech(credentials: Mapping[str, str], request: HttpRequest, url: str) -> Headers:
    """Azure Speech, a resource of its own: ``speech_key``."""
    return url, {"Ocp-Apim-Subscription-Key": credentials["speech_key"]}


def volcengine_tts(credentials: Mapping[str, str], request: HttpRequest, url: str) -> Headers:
    """Volcengine's speech synthesis: an ``app_id`` and its ``access_token``."""
    return url, {"X-Api-App-Id": credentials["app_id"], "X-Api-Access-Key": credentials["access_token"]}


def volcengine_stt(credentials: Mapping[str, str], request: HttpRequest, url: str) -> Headers:
    """Volcengine's speech recognition, which calls the ``app_id`` otherwise."""
    return url, {"X-Api-App-Key": credentials["app_id"], "X-Api-Access-Key": credentials["access_token"]}
