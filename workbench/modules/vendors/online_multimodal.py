"""`OnlineMultiModalModule`: a vendor's transcription, speech, pictures and changes of pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.endpoints import Timeouts
from ...errors import ArgumentError
from ...providers import model_names
from ...runtime.secrets import keys
from .online_endpoint import Key
from .online_typed import OnlineTypedModule

TYPES = ("stt", "tts", "sd", "image_editing")
ARGUMENTS = frozenset(
    {"api_key", "base_url", "function", "headers", "model", "name", "options", "return_trace", "skip_auth", "source", "static_params"}
    | {"timeout", "type", "url", "voice"}
)


class OnlineMultiModalModule(OnlineTypedModule):
    """A vendor's model for sound or pictures.

    Parameters
    ----------
    source : str, optional
        A vendor's name or alias (see ``wb.providers()``); the first with a key when not given.
    model : str, optional
        The vendor's name of the model; the vendor's default when not given.
    type, function : str
        ``stt`` (sound to text), ``tts`` (text to sound), ``sd`` or ``text2image`` (text to picture), ``image_editing``; told from
        the model's name when not given.
    base_url, url : str, optional
        Another address than the vendor's: its base, or the whole of it.
    api_key : str or list of str, optional
    skip_auth : bool, optional
        Send no key; wants an address.
    voice : str, optional
        The voice of every call that names none.
    static_params : dict, optional
        Parameters for every call that does not give its own.
    timeout : float, (float, float) or Timeouts, optional
    headers, options : dict, optional
        Sent with every request; what the codec has to know about a server of your own (see `workbench.dialects.speech`,
        `.transcription` and `.images`).
    return_trace, name
        As in `ModuleBase`.

    Examples
    --------
    >>> wb.OnlineMultiModalModule(source='qwen', type='stt')('speech.wav')            # a text
    >>> wb.OnlineMultiModalModule(source='openai', type='tts')('Hello!')              # plays in the notebook
    >>> wb.OnlineMultiModalModule(source='glm', type='sd')('a cat')                   # shows in the notebook
    >>> wb.OnlineMultiModalModule(source='qwen', type='image_editing')('make it blue', files=['cat.png'])
    """

    def __init__(
        self,
        source: str | None = None,
        model: str | None = None,
        type: str | None = None,
        base_url: str | None = None,
        *,
        function: str | None = None,
        url: str | None = None,
        api_key: Key | None = None,
        skip_auth: bool = False,
        voice: str | None = None,
        static_params: Mapping[str, Any] | None = None,
        timeout: float | tuple[float, float] | Timeouts | None = None,
        headers: Mapping[str, str] | None = None,
        options: Mapping[str, Any] | None = None,
        return_trace: bool = False,
        name: str = "",
        **others: Any,
    ) -> None:
        api_key, others = keys.sealed(api_key), keys.sealed(others)
        kind = model_names.canonical(type or function or model_names.type_of(model or "") or "")
        if kind not in TYPES:
            cause = f"{type or function!r} is none of its types." if type or function else "Neither type= nor the model's name says what it does."
            raise ArgumentError("OnlineMultiModalModule needs to know what the model does.", cause, f"Write type=…: {', '.join(TYPES)}.")
        if url and base_url and url != base_url:
            raise ArgumentError("Conflicting parameters: url and base_url.", "They mean the same and differ here.", "Give one of them.")
        super().__init__(
            "OnlineMultiModalModule",
            kind,
            ARGUMENTS,
            others,
            source=source,
            model=model,
            url=url or base_url,
            api_key=api_key,
            skip_auth=skip_auth,
            headers=headers,
            options=options,
            static_params={**({"voice": voice} if voice else {}), **(static_params or {})},
            timeout=timeout,
            return_trace=return_trace,
            name=name,
        )

    def forward(self, input: Any = "", *args: Any, **kwargs: Any) -> Any:
        """Ask the model.

        Parameters
        ----------
        input : str, Path, bytes, tuple, …
            ``stt``: the sound: a path, an address, bytes, (samples, samples a second), or an encoded query that names it. Else: the
            text.
        files, lazyllm_files : list or one, optional
            ``image_editing``: the pictures; ``stt``: the sound.
        mask : optional, for ``image_editing``
            A picture that is transparent where something may change.
        voice, format, speed, … : for ``tts``
        n, size, seed, … : for pictures
        language, prompt, … : for ``stt``
        model : str, optional
            Another model for this call.
        extra : dict, optional
            Fields for the request that no parameter stands for.

        Returns
        -------
        Answer, Audio or Images
            Text; a sound that a notebook plays; pictures that a notebook shows.

        Raises
        ------
        ArgumentError, DataError, EndpointError
        """
        return super().forward(input, *args, **kwargs)
