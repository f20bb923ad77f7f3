"""The local path beside lm-evaluation-harness: same weights, same requests, whole processes.

__main__.py     both tables in one run, and every bar
items.py        what is asked: BBQ, TruthfulQA, CrowS-Pairs, MMLU, from verified files
models.py       random weights of several architectures, with a tokenizer of their own
ours.py         Safemark's side, a process of its own
theirs.py       the other side, run with the Python of its environment
machine.py      how fast this machine multiplies matrices
scoring.py      both sides in turns: ratios, tokens computed, the greatest difference
parity.py       the greatest difference on every architecture
generation.py   replies: beside transformers' own batches, and repeats beside one
"""
