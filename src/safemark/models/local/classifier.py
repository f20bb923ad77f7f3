"""A sequence classifier from a folder or the hub: a text in, a probability for each label out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from safemark.errors import UsageError
from safemark.models.local.hub import fetched
from safemark.models.local.identity import identity
from safemark.models.local.load import (
    _check_folder,
    _check_installed,
    _device,
    _explained,
    _folder,
    _settings,
    _tokenizer,
)
from safemark.models.local.process import quiet


@dataclass(frozen=True, slots=True)
class Classifier:
    """``digest`` is over weights, configuration and tokenizer; ``labels`` are in lower case.

    Labels exclude each other (softmax) unless the configuration says that they do not, or there is
    one alone (sigmoid): as transformers' own pipeline has it.
    """

    digest: str
    labels: tuple[str, ...]
    tokenizer: Any
    module: Any
    longest: int

    def probabilities(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """Label → 0 … 1 for each text; of a text that is too long its beginning counts."""
        import torch

        device = next(self.module.parameters()).device
        given = self.tokenizer(
            list(texts), padding=True, truncation=True, max_length=self.longest, return_tensors="pt"
        ).to(device)
        with torch.inference_mode():
            logits = self.module(**given).logits.float()
        kind = self.module.config.problem_type
        is_exclusive = len(self.labels) > 1 and kind != "multi_label_classification"
        shares = logits.softmax(-1) if is_exclusive else logits.sigmoid()
        return [dict(zip(self.labels, row, strict=True)) for row in shares.tolist()]


def load_classifier(
    path_or_id: str, *, revision: str | None = None, allow_pickle: bool = False
) -> Classifier:
    """The classifier in a folder or on the hub; weights are safetensors unless pickles are allowed.

    Raises:
        UsageError: there is none, it cannot be loaded, or torch is not installed.
    """
    _check_installed()
    options = {"allow_pickle": "yes"} if allow_pickle else {}
    settings = _settings(options)
    folder = _folder(path_or_id)
    with quiet():
        if folder is None:
            folder = fetched(path_or_id, revision, pickle=allow_pickle, code=False)
        _check_folder(folder, settings)
        tokenizer = _tokenizer(folder, settings)
        module = _module(folder, allow_pickle=allow_pickle).to(_device("auto"))
    known = module.config.id2label
    found = identity(folder, template=None, adapter=None, settings={"kind": "classifier"})
    return Classifier(
        found.digest,
        tuple(str(known[place]).lower() for place in range(len(known))),
        tokenizer,
        module,
        _longest(module.config, tokenizer),
    )


def _module(folder: Any, *, allow_pickle: bool) -> Any:
    from transformers import AutoModelForSequenceClassification

    with _explained(folder, "weights"):
        module, loaded = AutoModelForSequenceClassification.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=None if allow_pickle else True,
            output_loading_info=True,
        )
        missing = sorted(loaded["missing_keys"]) + [str(key) for key in loaded["mismatched_keys"]]
        if missing:  # transformers fills these with random numbers and goes on
            raise UsageError(
                f"the weights in `{folder.name}` lack {len(missing)} tensors, first `{missing[0]}`",
                "is it a classifier, and is the download complete?",
            )
    return module.eval().requires_grad_(False)


def _longest(config: Any, tokenizer: Any) -> int:
    """How many tokens a text may have; RoBERTa's positions begin behind the padding token's."""
    places = int(getattr(config, "max_position_embeddings", 512))
    if str(config.model_type) in ("roberta", "xlm-roberta"):
        places -= int(config.pad_token_id or 0) + 1
    return min(places, int(tokenizer.model_max_length))
