"""What OpenAI's models cost, so that a run can count and limit its dollars."""

import re

# USD per million input and output tokens, standard tier, short prompts; from OpenAI's price list
# (developers.openai.com/api/docs/pricing) as of November 2026.
USD_PER_MILLION: dict[str, tuple[float, float]] = {
    "gpt-6-astra": (10.0, 50.0),
    "gpt-6.1-sol": (2.0, 10.0),
    "gpt-6.1-terra": (1.0, 5.0),
    "gpt-6-sol": (2.0, 10.0),
    "gpt-6-luna": (0.10, 0.50),
    "gpt-5.6-sol": (4.0, 20.0),
    "gpt-5.6-terra": (2.0, 12.0),
    "gpt-5.6-luna": (0.20, 1.20),
    "gpt-5.5": (5.0, 30.0),
    "gpt-5.4": (2.50, 15.0),
    "gpt-5.4-mini": (0.75, 4.50),
    "gpt-5.4-nano": (0.20, 1.25),
    "gpt-5.2": (1.75, 14.0),
    "gpt-5.1": (1.25, 10.0),
    "gpt-5": (1.25, 10.0),
    "gpt-5-mini": (0.25, 2.0),
    "gpt-5-nano": (0.05, 0.40),
    "gpt-4.1": (2.0, 8.0),
    "gpt-4.1-mini": (0.40, 1.60),
    "gpt-4.1-nano": (0.10, 0.40),
    "gpt-4o": (2.50, 10.0),
    "gpt-4o-mini": (0.15, 0.60),
    "o3": (2.0, 8.0),
    "o4-mini": (1.10, 4.40),
}

# What may follow a listed name without changing the price: a dated snapshot, or "latest".
_SAME_PRICE = re.compile(r"(-\d{4}-\d{2}-\d{2}|(-chat)?-latest)?")


def cost(model: str, input_tokens: int, output_tokens: int) -> float | None:
    """US dollars for one call, or None when the model's price is not known.

    Cached input is counted at the full price, so the figure is an upper bound. A vendor's prefix
    as gateways write it ("openai/gpt-5.4") is ignored. The embedded model costs nothing.
    """
    if model == "embedded":
        return 0.0
    name = model.removeprefix("openai/")
    # The longest name first: "gpt-5-mini" must not be taken for a "gpt-5".
    for known in sorted(USD_PER_MILLION, key=len, reverse=True):
        if name.startswith(known) and _SAME_PRICE.fullmatch(name, len(known)):
            per_input, per_output = USD_PER_MILLION[known]
            return (input_tokens * per_input + output_tokens * per_output) / 1_000_000
    return None
