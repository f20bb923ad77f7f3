"""Asking by batch: many requests handed in at once, answered within a day, for half the price.

    service.py     what every batch service can do, and which models have one
    wire.py        files and pages over HTTP
    openai.py      OpenAI: a file is uploaded, a batch made of it, two files come back
    anthropic.py   Anthropic: the requests go in directly, results come as lines
    collected.py   Collected: a model that answers from what came back

Which requests a run needs, and what is kept where, is not known here.
"""
