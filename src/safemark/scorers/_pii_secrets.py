"""Keys and tokens of well-known issuers, told by their published prefixes and lengths.

*Source:* the issuers' documentation of their formats; the same prefixes as in gitleaks' and
GitHub's secret-scanning rules.
"""

import math
import re
from collections import Counter

ISSUED = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"(?:AKIA|ASIA)[A-Z0-9]{16}"  # AWS access key
    r"|gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,}"
    r"|glpat-[A-Za-z0-9_-]{20,}"
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-\d-[A-Za-z0-9-]{10,}"
    r"|sk-ant-[A-Za-z0-9_-]{20,}|sk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{20,}"
    r"|(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}"  # Stripe
    r"|AIza[A-Za-z0-9_-]{35}"  # Google
    r"|ya29\.[A-Za-z0-9_-]{20,}"
    r"|hf_[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,}"
    r"|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"  # SendGrid
    r"|AC[a-f0-9]{32}|SK[a-f0-9]{32}"  # Twilio
    r"|eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"  # JSON web token
    r")(?![A-Za-z0-9])"
)
PRIVATE_KEY = re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----")
NAMED = re.compile(
    r"(?i)\b(?:api[ _-]?key|secret(?:[ _-]?key)?|access[ _-]?token|auth[ _-]?token|bearer|password|"
    r"passwort|passwd|pwd|passphrase|mot de passe|contraseña)\b"
    r"(?:\s+(?:is|was|lautet|est|es))?\s*[:=]?\s*[\"'`]?(?P<value>[^\s\"'`<>,;]{6,200})"
)
LOGIN = re.compile(r"(?i)\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{1,100}:(?P<value>[^\s/@]{1,100})@")


def looks_drawn(value: str) -> bool:
    """Whether a value behind a word such as "password" is one: not a word of a sentence.

    It mixes letters with digits or signs, and its letters repeat little (Shannon entropy of at
    least 2.5 bits a letter).
    """
    kinds = sum(bool(re.search(kind, value)) for kind in (r"[a-z]", r"[A-Z]", r"\d", r"[^\w\s]|_"))
    counts = Counter(value.rstrip(".!?)"))
    total = sum(counts.values())
    bits = -sum(n / total * math.log2(n / total) for n in counts.values()) if total else 0.0
    return bits >= 2.5 and kinds >= 2 and bool(re.search(r"\d", value))
