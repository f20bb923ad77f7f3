"""Everyone who answers over HTTP, one row each: address, key, protocol, and what is special."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Protocol = Literal["chat", "anthropic", "google"]


COMPLETION_TOKENS = "max_completion_tokens"
"""What a reasoning model's limit is called; its thinking counts towards it."""

_REASONING_MODEL = re.compile(r"(^|/)(o\d|gpt-[5-9](?!\d))(?!.*-chat)")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a server's chat completions differ from most.

    ``begun`` goes into the body, ``begun_flag`` onto the message where the answer is begun by us;
    ``goes_on`` is false where such an answer is answered, not continued.
    """

    max_tokens: str = "max_tokens"
    seed: str = "seed"
    begun: Mapping[str, Any] = field(default_factory=dict)
    begun_flag: str | None = None
    goes_on: bool = True


@dataclass(frozen=True, slots=True)
class Provider:
    """Where a provider answers, which variable holds its key, and what it speaks.

    ``needs_key`` is false for servers on one's own machine. An empty ``base_url`` is the person's
    own resource: ``url_variable`` or ``--base-url`` names it.
    """

    base_url: str
    key_variable: str
    url_variable: str | None = None
    needs_key: bool = True
    protocol: Protocol = "chat"
    other_key_variables: tuple[str, ...] = ()
    key_header: str | None = None
    dialect: Dialect = field(default_factory=Dialect)

    @property
    def key_variables(self) -> tuple[str, ...]:
        """Where the key may stand, the first that is set counts."""
        return (self.key_variable, *self.other_key_variables)


_OPENAI = Dialect(goes_on=False)
_PREFIX = Dialect(begun_flag="prefix")
_VLLM = Dialect(begun={"continue_final_message": True, "add_generation_prompt": False})


def _own(port: int, name: str, dialect: Dialect | None = None) -> Provider:
    """A server on one's own machine."""
    return Provider(
        f"http://localhost:{port}/v1",
        f"{name}_API_KEY",
        f"{name}_BASE_URL",
        needs_key=False,
        dialect=dialect or Dialect(),
    )


PROVIDERS: dict[str, Provider] = {
    "openai": Provider(
        "https://api.openai.com/v1", "OPENAI_API_KEY", "OPENAI_BASE_URL", dialect=_OPENAI
    ),
    "anthropic": Provider(
        "https://api.anthropic.com", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", protocol="anthropic"
    ),
    "google": Provider(
        "https://generativelanguage.googleapis.com/v1beta",
        "GOOGLE_API_KEY",
        other_key_variables=("GEMINI_API_KEY",),
        protocol="google",
    ),
    "azure": Provider(
        "",
        "AZURE_OPENAI_API_KEY",
        "AZURE_OPENAI_ENDPOINT",
        key_header="api-key",
        dialect=_OPENAI,
    ),
    "openrouter": Provider("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "groq": Provider("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "together": Provider("https://api.together.xyz/v1", "TOGETHER_API_KEY"),
    "mistral": Provider(
        "https://api.mistral.ai/v1",
        "MISTRAL_API_KEY",
        dialect=Dialect(seed="random_seed", begun_flag="prefix"),
    ),
    "deepseek": Provider("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY", dialect=_PREFIX),
    "xai": Provider("https://api.x.ai/v1", "XAI_API_KEY", dialect=_OPENAI),
    "fireworks": Provider("https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY"),
    "cerebras": Provider("https://api.cerebras.ai/v1", "CEREBRAS_API_KEY", dialect=_OPENAI),
    "nvidia": Provider("https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY"),
    "huggingface": Provider("https://router.huggingface.co/v1", "HF_TOKEN"),
    "deepinfra": Provider("https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY"),
    "sambanova": Provider("https://api.sambanova.ai/v1", "SAMBANOVA_API_KEY"),
    "moonshot": Provider(
        "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY", dialect=Dialect(begun_flag="partial")
    ),
    "ollama": _own(11434, "OLLAMA"),
    "vllm": _own(8000, "VLLM", _VLLM),
    "sglang": _own(30000, "SGLANG", Dialect(begun={"continue_final_message": True})),
    "llamacpp": _own(8080, "LLAMACPP"),
    "lmstudio": _own(1234, "LMSTUDIO"),
}


def dialect_of(provider: str, model: str) -> Dialect:
    """How that model's server wants to be asked; OpenAI's reasoning models are told by name."""
    dialect = PROVIDERS[provider].dialect
    if provider in ("openai", "azure") and is_reasoning_model(model):
        return Dialect(COMPLETION_TOKENS, goes_on=False)
    return dialect


def is_reasoning_model(model: str) -> bool:
    """Whether OpenAI's model of that name thinks before it answers.

    >>> [is_reasoning_model(name) for name in ("o3-mini", "gpt-5.2", "openai/gpt-5-mini")]
    [True, True, True]
    >>> [is_reasoning_model(name) for name in ("gpt-4o", "gpt-5-chat-latest", "olmo-2", "gpt-50")]
    [False, False, False, False]
    """
    return bool(_REASONING_MODEL.search(model))
