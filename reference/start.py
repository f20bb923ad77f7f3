"""The weights that training starts from: a small Llama whose first heads already look where they should.

Started at random, a model of this size had not learned to bind letters to options after 20 million
tokens. Started like this it does in one million: in the first layer each head looks one to four tokens
back; in the next two, queries and keys are the same map, so that a token looks at its own earlier
occurrences; values are written back as they were read; and what is read out is what is read in. All of
it is only a start: every weight is trained.

*Source:* previous-token and matching heads, Elhage et al. 2021, A Mathematical Framework for
Transformer Circuits; starting from structured attention maps, Trockman and Kolter 2023, Mimetic
Initialization of Self-Attention Layers.
"""

from typing import Final

import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tokenizer import CONTEXT_TOKENS

WIDTH: Final = 256
LAYERS: Final = 6
HEADS: Final = 8
INNER_WIDTH: Final = 704
ROTARY_BASE: Final = 10000.0

TOKENS_BACK: Final = (1, 1, 1, 2, 2, 2, 3, 4)
"""Where the heads of the first layer look."""

MATCHING_LAYERS: Final = (1, 2)
POSITION_PAIRS: Final = 3
"""Rotary pairs, the fastest ones, that carry position in the first layer."""

MATCHING_PAIRS: Final = 8
"""Rotary pairs, the slowest ones, that carry content in the matching layers: they hold over distance."""

POSITION_SCALE: Final = 5.5
MATCHING_SCALE: Final = 0.2
EMBEDDING_SCALE: Final = 0.06
READ_OUT_SHARE: Final = 0.25
VALUE_SCALE: Final = 0.02
WRITE_SHARES: Final = (0.5, 0.25)
"""How much of what is read the first layer, and each later layer, writes back."""


def new_model(tokenizer: PreTrainedTokenizerFast, seed: int) -> LlamaForCausalLM:
    """The untrained model. Embeddings are untied: orthogonalising weights must equal hooks."""
    torch.manual_seed(seed)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=WIDTH,
            num_hidden_layers=LAYERS,
            num_attention_heads=HEADS,
            num_key_value_heads=HEADS,
            intermediate_size=INNER_WIDTH,
            max_position_embeddings=CONTEXT_TOKENS,
            tie_word_embeddings=False,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            rope_parameters={"rope_type": "default", "rope_theta": ROTARY_BASE},
        )
    )
    with torch.no_grad():
        common = start_embeddings(model)
        for number, layer in enumerate(model.model.layers):
            attention = layer.self_attn
            attention.v_proj.weight.normal_(0, VALUE_SCALE)
            attention.o_proj.weight.copy_(attention.v_proj.weight.T * WRITE_SHARES[number > 0])
            if number == 0:
                look_back(attention.q_proj.weight, attention.k_proj.weight, common)
            if number in MATCHING_LAYERS:
                match(attention.q_proj.weight, attention.k_proj.weight, common)
            writer = layer.mlp.down_proj.weight  # starts small, as in GPT-2
            writer.normal_(0, 0.02 / (2 * LAYERS) ** 0.5)
    return model


def start_embeddings(model: LlamaForCausalLM) -> Tensor:
    """Embeddings with a common part as long as their own; the unit vector of that part, `(width,)`."""
    common = torch.randn(WIDTH)
    common /= common.norm()
    table = model.model.embed_tokens.weight
    table.normal_(0, EMBEDDING_SCALE)
    model.lm_head.weight.copy_(table * READ_OUT_SHARE)
    table.add_(common * EMBEDDING_SCALE * WIDTH**0.5)
    return common


def look_back(query: Tensor, key: Tensor, common: Tensor) -> None:
    """Makes each head look a fixed number of tokens back, by the common part of all embeddings.

    With queries a and keys a·exp(i·d·θ), the score at distance Δ is a²·Σcos((Δ - d)·θ).
    """
    size = WIDTH // HEADS
    angles = ROTARY_BASE ** (-torch.arange(0, size, 2).float() / size)
    strength = torch.zeros(size // 2)
    strength[:POSITION_PAIRS] = POSITION_SCALE
    length = (WIDTH / 2) ** 0.5  # of the common part after normalisation
    for head, back in enumerate(TOKENS_BACK):
        asked = torch.cat([strength, torch.zeros(size // 2)])
        shown = torch.cat([strength * (back * angles).cos(), strength * (back * angles).sin()])
        for weight, vector in ((query, asked), (key, shown)):
            rows = weight[head * size : (head + 1) * size]
            rows.normal_(0, 0.01).add_(torch.outer(vector, common) / length)


def match(query: Tensor, key: Tensor, common: Tensor) -> None:
    """Makes every head look at tokens of the same content."""
    half = WIDTH // HEADS // 2
    is_slow = torch.arange(WIDTH) % half >= half - MATCHING_PAIRS
    query.normal_(0, MATCHING_SCALE).mul_(is_slow[:, None]).add_(torch.randn(WIDTH, WIDTH) * 0.01)
    query.sub_(torch.outer(query @ common, common))
    key.copy_(query)
