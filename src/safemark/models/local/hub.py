"""A model of the Hugging Face hub as a folder on this machine, all files of one commit.

The hub is asked once, with a short timeout; where it does not answer, what lies in its local
cache is used. huggingface_hub by itself would retry for a minute.
"""

from collections.abc import Collection
from pathlib import Path

from safemark.errors import UsageError

_TIMEOUT_S = 10.0
_ALWAYS = ("*.json", "*.jinja", "*.model", "*.tiktoken", "*.txt", "tokenizer*", "vocab*", "merges*")


def fetched(
    model: str, revision: str | None, *, pickle: bool, code: bool, offline: bool = False
) -> Path:
    """The folder with the files of ``model``, downloaded where they are not yet here.

    ``pickle`` takes .bin weights where there are no safetensors, ``code`` the Python files. With
    ``offline`` the hub is not asked: what lies in its local cache is all there is.

    Raises:
        UsageError: no such model or revision, no access, no network and not in the cache.
    """
    from huggingface_hub import HfApi, constants, snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if offline:
        hint = "run once without --offline, or give a folder"
        return _cached(model, revision, "--offline downloads nothing", hint)
    if constants.HF_HUB_OFFLINE:
        return _cached(model, revision, "HF_HUB_OFFLINE is set")
    try:
        info = HfApi().model_info(model, revision=revision, timeout=_TIMEOUT_S)
        names = [file.rfilename for file in info.siblings or ()]
        wanted = [*_ALWAYS, _weights(model, names, pickle=pickle), *(["*.py"] if code else [])]
        return Path(
            snapshot_download(
                model, revision=info.sha, allow_patterns=wanted, ignore_patterns=_copies(names)
            )
        )
    except GatedRepoError as error:
        hint = "ask for access on the model's page, then `hf auth login`"
        raise UsageError(f"`{model}` is gated", hint) from error
    except RevisionNotFoundError as error:
        raise UsageError(f"`{model}` has no revision `{revision}`", "try main") from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise UsageError(
            f"there is no folder `{model}` here and no such model on the hub",
            "check the spelling; a private model needs `hf auth login`",
        ) from error
    except HfHubHTTPError as error:
        return _cached(model, revision, f"the hub answers with an error ({error.response})")
    except OSError as error:
        return _cached(model, revision, f"the hub cannot be reached ({_first_line(error)})")
    except Exception as error:
        if not type(error).__module__.startswith(("httpx", "httpcore", "requests")):
            raise
        return _cached(model, revision, f"the hub cannot be reached ({_first_line(error)})")


def _cached(
    model: str,
    revision: str | None,
    why: str,
    hint: str = "give a folder, or download the model where there is a network",
) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, revision=revision, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, OSError) as error:
        cached = "the local cache" if revision is None else f"the local cache as `{revision}`"
        raise UsageError(
            f"`{model}` is no folder here and not in {cached}, and {why}", hint
        ) from error


def _weights(model: str, names: Collection[str], *, pickle: bool) -> str:
    """The pattern of the weight files; safetensors wherever there are any.

    Raises:
        UsageError: there are none, or only pickled ones and nobody allowed these.
    """
    if any(name.endswith(".safetensors") for name in names):
        return "*.safetensors"
    if not any(name.endswith(".bin") for name in names):
        hint = "give the id of a model with *.safetensors"
        if any(name.endswith(".gguf") for name in names):
            hint = "serve it, `llama-server -hf ID`, and use llamacpp/NAME; docs/local.md"
        raise UsageError(f"`{model}` has no weights that can be loaded here", hint)
    if not pickle:
        raise UsageError(
            f"`{model}` has only pickled weights, which can run code when loaded",
            "-M allow_pickle=yes loads them if you trust their source",
        )
    return "*.bin"


def _copies(names: Collection[str]) -> list[str]:
    """Second copies of the weights that some repositories hold: ``original/``, ``onnx/`` …"""
    return sorted({f"{name.split('/')[0]}/*" for name in names if "/" in name})


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:120] or type(error).__name__
