"""Keeps known secrets out of whatever is stored, shown or logged.

A secret is any value of an environment variable whose name ends like a key, and whatever is
added with `remember`. Nothing else is guessed at, but in what an error says: servers answer with
keys that nobody named here, and there `masked` hides what looks like one.
"""

import os
import re

import msgspec

_NAMES = re.compile(
    r"(API[_-]?KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|AUTHORIZATION"
    r"|ACCESS[_-]KEY([_-]ID)?|SECRET[_-]KEY|PRIVATE[_-]KEY)$",
    re.IGNORECASE,
)
_SHORTEST = 6
# up to the last @ before the path: a password may hold one
_URL_LOGIN = re.compile(r"(?<=://)[^/?#\s]+(?=@)")
_CODE = r"(?=[\w.*…+/=-]{0,80}[\d*…])[\w.*…+/=-]{5,}[\w*…+/=-]"
"""What could be a key, whole or in part: no word of a sentence, as it has a digit or a mask."""

_ISSUED = re.compile(
    r"(?<![\w-])(?:(?:sk|pk|rk|gsk|xai|pplx|nvapi|glpat|pypi|xapp|xox[a-z])[-_]"
    r"|(?:hf|r8|npm|fw|csk|tgp|gh[a-z]|github_pat)_|AIza|AKIA|ASIA|ya29\.|eyJ)" + _CODE
)
_NAMED = re.compile(
    r"(?i)((?:(?<![^\W_])(?:(?:api|access|secret|auth)[ _-]?(?:key|token)|bearer|password"
    r"|authorization\W{1,5}basic)|[?&](?:key|token))"
    r"(?:[\s\"'`]{0,3}(?:provided|given|is|was)\b)?[\s:=\"'`]{1,5})" + _CODE
)
_known: set[str] = set()

HIDDEN = "[secret]"


def remember(secret: str | None) -> None:
    """Add a secret to those that are hidden; anything shorter than six characters is not one."""
    if secret and len(secret) >= _SHORTEST:
        _known.add(secret)


def remember_environment() -> None:
    """Add the values of all environment variables that are named like secrets."""
    for name, value in os.environ.items():
        if _NAMES.search(name):
            remember(value)


def scrubbed(text: str) -> str:
    """``text`` with every known secret, and every login in a URL, replaced."""
    for secret in _longest_first():
        if secret in text:
            text = text.replace(secret, HIDDEN)
    return _URL_LOGIN.sub(HIDDEN, text) if "://" in text and "@" in text else text


def masked(text: str) -> str:
    """The same, and whatever looks like a key: for errors, which may tell somebody else's.

    >>> masked("Incorrect API key provided: sk-ab12********yz34.")
    'Incorrect API key provided: [secret].'
    """
    text = _ISSUED.sub(HIDDEN, scrubbed(text))
    return _NAMED.sub(lambda found: found[1] + HIDDEN, text)


def scrubbed_bytes(body: bytes) -> bytes:
    """The same for an encoded record; only known secrets as JSON writes them, so it stays JSON."""
    for secret in _longest_first():
        encoded = msgspec.json.encode(secret.encode("utf-8", "replace").decode())[1:-1]
        if encoded in body:
            body = body.replace(encoded, HIDDEN.encode())
    return body


def _longest_first() -> list[str]:
    """A secret that contains another is hidden whole."""
    return sorted(_known, key=len, reverse=True)


def is_secret_name(name: str) -> bool:
    """Whether a setting called ``name`` holds a secret, by its name."""
    return bool(_NAMES.search(name))
