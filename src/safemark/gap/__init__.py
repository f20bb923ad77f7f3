"""The safety gap of open weights: the same questions to a model as it is and to stripped variants.

    measuring.py   variants as ordinary runs: what is asked of each, what is there already
    roles.py       which metric of a benchmark tells of capability, compliance, over-refusal
    held_out.py    a text nobody was asked about, and how likely a variant finds it
    families.py    models of one family by size, from a file
    memory.py      what a model needs and what is here: what fits, where, and what does not
    serving.py     a variant handed to a server of one's own, and taken back
    folders.py     the folder that such a server reads: guarded, emptied, swept

What the runs come to is told by `safemark.reports.gap`, not here.
"""

from safemark.gap.measuring import (
    FLUENCY,
    ORIGINAL,
    Setting,
    Variant,
    VariantBody,
    Watching,
    body_of,
    check,
    measure,
    removal,
)

__all__ = [
    "FLUENCY",
    "ORIGINAL",
    "Setting",
    "Variant",
    "VariantBody",
    "Watching",
    "body_of",
    "check",
    "measure",
    "removal",
]
