"""`AutoModel`: an online or a local module for a model's name. The order of choice is `workbench.modules.auto.auto_choice`."""

from __future__ import annotations

import os
from typing import Any

from ...errors import ArgumentError
from ...runtime.secrets import keys
from .auto_choice import Choice, choose


class AutoModel:
    """A model by name, wherever it can be had: a vendor's, or one on this machine.

    Parameters
    ----------
    model : str
        A model's name; or a source, for that vendor's default model.
    config_id : str, optional
        Which entry of the config map to take.
    source : str, optional
        A vendor; ``local`` makes a `TrainableModule` in any case.
    type : str, optional
        ``llm``, ``embed``, …; told from the model when not given.
    config : bool or path, optional
        A config map to look the model up in. True takes the one that ``WORKBENCH_AUTO_MODEL_CONFIG_MAP_PATH`` names, if any;
        False none.
    framework : str, optional
        What serves a local model, such as ``vllm``.
    **others
        Given on to the module that is made, before what the config map says. ``base_model``, ``embed_model_name`` and ``model_name``
        are other names for ``model``.

    Returns
    -------
    OnlineChatModule, OnlineEmbeddingModule, OnlineMultiModalModule or TrainableModule

    Raises
    ------
    ArgumentError, DataError
        For arguments that contradict each other; a faulty config map.
    AuthenticationFailed
        When a source is given whose key is nowhere; or no model, and no key.

    Notes
    -----
    The order: ``source='local'`` or ``framework``; the config map's entry for this machine, when its server answers; its entry for a
    vendor; a vendor that was given; files on this machine under that path; the vendor that the name tells, or the default source, when
    a key is there; the model as one for this machine. `explain` tells how it went for a name.

    Examples
    --------
    >>> wb.AutoModel('qwen3-32b')
    >>> wb.AutoModel('x', source='local')
    >>> wb.AutoModel('x', config='models.yaml', config_id='a')
    >>> wb.AutoModel.explain('qwen3-32b')
    """

    def __new__(
        cls,
        model: str | None = None,
        source: str | None = None,
        framework: str | None = None,
        *,
        config_id: str | None = None,
        type: str | None = None,
        config: bool | str | os.PathLike[str] = True,
        **others: Any,
    ) -> Any:
        others = keys.sealed(others)
        choice = choose(model, source, framework, config_id, type, config, others)
        if choice.make is None:
            raise choice.problem or ArgumentError(f"AutoModel found nothing for {model!r}.")
        return choice.make()

    @staticmethod
    def explain(
        model: str | None = None,
        source: str | None = None,
        framework: str | None = None,
        *,
        config_id: str | None = None,
        type: str | None = None,
        config: bool | str | os.PathLike[str] = True,
        **others: Any,
    ) -> Choice:
        """What the same call without ``.explain`` would make, and why; nothing is made.

        Returns
        -------
        Choice
            Its ``steps`` in order; it prints and shows as a list.
        """
        return choose(model, source, framework, config_id, type, config, keys.sealed(others))
