"""Settings that a server refuses: learnt from its words once, then left out and said.

Reasoning models refuse a temperature, some servers a seed. Only a setting that is refused as such
counts: a value out of range is the asker's mistake, and stays an error.
"""

import re
from collections.abc import Collection

_AS_SUCH = re.compile(
    r"unsupported[_ ](parameter|value|setting)|(is|are) not supported|isn't supported"
    r"|not supported with|not permitted|(does not|do not|doesn't) support|unrecognized"
    r"|unknown (parameter|field|name)|unexpected (field|keyword)|extra (inputs|fields)|deprecated"
    r"|cannot both be|may only be set to 1 when",
    re.IGNORECASE,
)
_PARAMETER = re.compile(r'"param":\s*"([^"]+)"')
_TO_REFUSE = (400, 422)


def refused_setting(status: int | None, said: str, sent: Collection[str]) -> str | None:
    """Which of the settings ``sent`` (names on the wire) an HTTP error refuses as such.

    ``said`` is its body. Where it names several, the first of ``sent``; None where it refuses none.

    >>> said = "Unsupported value: 'temperature' does not support 0 with this model."
    >>> refused_setting(400, said, ["max_tokens", "temperature"])
    'temperature'
    >>> refused_setting(400, "temperature: 3 is greater than 2", ["temperature"])
    """
    if status not in _TO_REFUSE or not _AS_SUCH.search(said):
        return None
    named = _PARAMETER.search(said)
    if named:
        return named[1] if named[1] in sent else None
    for name in sent:
        if re.search(rf"(?<![A-Za-z_]){re.escape(name)}(?![A-Za-z_])", said):
            return name
    return None
