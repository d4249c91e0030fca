import pytest

from replan.models.prices import USD_PER_MILLION, cost


def test_input_and_output_have_their_own_price():
    assert cost("gpt-5.4", 1_000_000, 0) == pytest.approx(2.50)
    assert cost("gpt-5.4", 0, 1_000_000) == pytest.approx(15.0)
    assert cost("gpt-5.4", 2_000, 100) == pytest.approx(0.0065)


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("gpt-5-mini", "gpt-5-mini"),
        ("gpt-5-chat-latest", "gpt-5"),
        ("openai/gpt-6-luna", "gpt-6-luna"),
    ],
)
def test_the_longest_listed_name_gives_the_price(name: str, listed: str):
    assert cost(name, 1_000_000, 0) == pytest.approx(USD_PER_MILLION[listed][0])


@pytest.mark.parametrize("name", ["gpt-5-pro", "gpt-4o-audio-preview", "gpt-9", "qwen2.5", ""])
def test_a_price_is_not_guessed_from_a_similar_name(name: str):
    assert cost(name, 1_000, 1_000) is None


def test_the_embedded_model_costs_nothing():
    assert cost("embedded", 1_000_000, 1_000_000) == 0.0
