"""Speech in Azure's form: SSML in, the sound out.

Format: https://learn.microsoft.com/azure/ai-services/speech-service/rest-text-to-speech. See `workbench.dialects.speech` for the
table of forms.
"""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from ..core.protocols import HttpRequest
from ..core.typed import SpeakRequest
from .speech import OpenAISpeech

_AZURE = {
    "mp3": "audio-24khz-48kbitrate-mono-mp3",
    "wav": "riff-24khz-16bit-mono-pcm",
    "pcm": "raw-24khz-16bit-mono-pcm",
    "ogg": "ogg-24khz-16bit-mono-opus",
    "opus": "ogg-24khz-16bit-mono-opus",
}


class AzureSpeech(OpenAISpeech):
    """Azure Speech: SSML in, the sound out. ``response_format`` takes Azure's own names, too."""

    path = "/cognitiveservices/v1"
    known = frozenset({"response_format", "language", "rate", "pitch", "volume", "style"})

    def encode(self, request: SpeakRequest) -> HttpRequest:
        p = dict(request.parameters)
        form = str(p.get("response_format") or self.options.get("format", "mp3"))
        voice = self.voice(request, "en-US-AvaMultilingualNeural")
        language = p.get("language") or "-".join(voice.split("-")[:2])
        said = escape(request.text)
        prosody = "".join(f" {k}={quoteattr(str(p[k]))}" for k in ("rate", "pitch", "volume") if p.get(k) is not None)
        if prosody:
            said = f"<prosody{prosody}>{said}</prosody>"
        if p.get("style"):
            said = f"<mstts:express-as style={quoteattr(str(p['style']))}>{said}</mstts:express-as>"
        spaces = 'xmlns="http://www.w3.org/2001/10/synthesis" xmlns:mstts="https://www.w3.org/2001/mstts"'
        ssml = f'<speak version="1.0" {spaces} xml:lang={quoteattr(language)}><voice name={quoteattr(voice)}>{said}</voice></speak>'
        headers = {"Content-Type": "application/ssml+xml", "X-Microsoft-OutputFormat": _AZURE.get(form, form)}
        return HttpRequest("POST", self.path, content=ssml.encode(), headers=headers)

    encode_streamed = encode
