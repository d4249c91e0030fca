"""The embedded embedding model: how the two models' vectors are joined, and what is taken off."""

import json
from pathlib import Path

import numpy as np
import pytest

from replan.models.e5 import E5, find_weights
from replan.models.embedded_pair import CENTRES, DIMENSIONS, EmbeddedPair, centres, english_share
from replan.models.minilm import MiniLM, find_minilm
from replan.state.errors import WeightsError

# What sentence-transformers answers with the original weights, of 32 bits, for "hello world".
MINILM_REFERENCE = [-0.0345, 0.0310, 0.0067, 0.0261, -0.0394, -0.1603, 0.0669, -0.0064]
PARALLEL = [
    json.loads(line)
    for line in Path(__file__).with_name("parallel_texts.jsonl").read_text().splitlines()
]


@pytest.fixture(scope="module")
def pair() -> EmbeddedPair:
    return EmbeddedPair(find_weights(), find_minilm())


def test_minilm_computes_what_the_original_does(pair: EmbeddedPair) -> None:
    (row,) = pair.minilm.embed(["hello world"])
    assert list(row[:8]) == pytest.approx(MINILM_REFERENCE, abs=0.01)
    assert pair.minilm.embed([]).shape == (0, 384)
    (long,) = pair.minilm.embed(["word " * 3000])
    assert np.linalg.norm(long) == pytest.approx(1, abs=1e-4)


def test_a_vector_holds_both(pair: EmbeddedPair) -> None:
    texts = ["The export needs UTF-8.", "导出文件必须用这种编码。", "", "1234"]
    rows = pair.embed(texts, "passage")
    assert rows.shape == (4, DIMENSIONS)
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1] * 4, abs=1e-4)
    # Half of an English text's vector is MiniLM's, nothing of a Chinese one's.
    halves = (rows[:, 384:] ** 2).sum(1)
    assert halves == pytest.approx([0.5, 0, 0.5, 0.5], abs=1e-4)
    assert rows[0, 384:] == pytest.approx(0.5**0.5 * pair.minilm.embed(texts[:1])[0], abs=1e-5)


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("plain English", 1.0),
        ("纯中文，没有别的。", 0.0),
        ("用 pip 安装", 3 / 12),
        ("Größe", 3 / 3),
        ("Привет", 0.0),
        ("", 1.0),
        ("1 + 2 = 3", 1.0),
    ],
)
def test_how_english_a_text_is(text: str, share: float) -> None:
    assert english_share(text) == pytest.approx(share)


def test_the_centres_are_those_of_the_parallel_texts(pair: EmbeddedPair) -> None:
    english, chinese = ([texts[language] for texts in PARALLEL] for language in ("en", "zh"))
    assert np.load(CENTRES) == pytest.approx(centres(pair.e5, english, chinese), abs=1e-4)


def test_texts_that_say_different_things_are_far_apart_whatever_the_language(
    pair: EmbeddedPair,
) -> None:
    english = ["The bus leaves at nine.", "Her name is Olga.", "Sort the list by date."]
    chinese = ["仓库的钥匙在前台。", "汤太咸了。", "请不要回复这封邮件。"]
    rows = pair.embed(english + chinese, "passage")
    apart = (rows @ rows.T)[~np.eye(6, dtype=bool)]
    # Of E5 alone no two texts have a cosine under 0.7.
    assert apart.max() < 0.35


def test_other_files_are_not_used(tmp_path: Path) -> None:
    files = find_minilm()
    changed = tmp_path / "model.onnx"
    changed.write_bytes(files.model.read_bytes() + b"x")
    with pytest.raises(WeightsError, match="have sha256"):
        MiniLM(files._replace(model=changed))
    with pytest.raises(WeightsError, match="cannot be read"):
        MiniLM(files._replace(vocabulary=tmp_path / "none"))


def test_e5_is_told_questions_from_passages() -> None:
    model = E5(find_weights())
    asked, told = (model.embed(["the same"], kind)[0] for kind in ("query", "passage"))
    assert 0.5 < asked @ told < 0.999
