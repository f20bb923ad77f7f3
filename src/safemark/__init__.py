"""Safemark tells you how safe an AI model is, with evidence you can show.

    import safemark
    document = safemark.run("reference", ["audit150"])

Names are imported when they are used: importing the package itself loads nothing heavy.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from safemark.api import compare, gate, run
    from safemark.errors import SafemarkError
    from safemark.reports.document import Document

__version__ = "0.1.0"
__all__ = ["Document", "SafemarkError", "__version__", "compare", "gate", "run"]

_WHERE = {
    "compare": "safemark.api",
    "gate": "safemark.api",
    "run": "safemark.api",
    "SafemarkError": "safemark.errors",
    "Document": "safemark.reports.document",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'safemark' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
