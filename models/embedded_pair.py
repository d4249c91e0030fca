"""The embedded embedding model: multilingual E5 for every language, and MiniLM beside it.

E5 at 4 bits knows a hundred languages, but tells English sentences apart less well than MiniLM,
which knows English alone. So a text's vector is both of theirs, one behind the other, each scaled:
the cosine of two is the weighted mean of the models' own, and MiniLM counts for as much as both
texts are English. It costs a third more time than E5 alone.

E5's vectors lie close together, and those of one language closer still, whatever they say. What
texts of a language have in common is therefore subtracted: the mean over sixty sentences, the same
ones in English and in Chinese (`tests/models/parallel_texts.jsonl`).
"""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from replan.models import e5, minilm
from replan.models.e5 import E5
from replan.models.minilm import MiniLM, MiniLMFiles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

NAME = f"{e5.NAME} + {minilm.NAME}"
DIMENSIONS = e5.DIMENSIONS + minilm.DIMENSIONS
CENTRES = Path(__file__).with_name("e5_centres.npy")
# MiniLM's part of an English text's vector, of its squared length; see benchmarks/retrieval.py.
_MINILM_SHARE = 0.5
_LATIN = re.compile(r"[A-Za-z]")
_OTHER = re.compile(r"[^\W\d_A-Za-z\u00c0-\u024f]")
# A character of Chinese says about as much as three letters of English.
_LETTERS = 3


class EmbeddedPair:
    """Both models, loaded. Loading takes about a second; it and `embed` block: use a thread."""

    def __init__(self, e5_weights: Path, minilm_files: MiniLMFiles) -> None:
        """Reads the weights.

        Raises:
            WeightsError: they cannot be read, or are not the expected ones.
        """
        import numpy as np

        with ThreadPoolExecutor(1) as other:
            loading = other.submit(MiniLM, minilm_files)
            self.e5 = E5(e5_weights)
            self.minilm = loading.result()
        self._centres = np.load(CENTRES)

    def embed(self, texts: list[str], kind: Literal["query", "passage"]) -> "Floats":
        """A row of 768 numbers of length 1 for each text."""
        import numpy as np

        english = np.array([english_share(text) for text in texts], np.float32)[:, None]
        with ThreadPoolExecutor(1) as other:
            beside = other.submit(self.minilm.embed, texts)
            first = self.e5.embed(texts, kind)
            second = beside.result()
        first = first - english * self._centres[0] - (1 - english) * self._centres[1]
        first /= np.linalg.norm(first, axis=1, keepdims=True)
        share = _MINILM_SHARE * english
        rows: Floats = np.hstack([np.sqrt(1 - share) * first, np.sqrt(share) * second])
        return rows


def english_share(text: str) -> float:
    """How much of a text is written in plain Latin letters, 0 to 1; without any letters 1."""
    latin = len(_LATIN.findall(text))
    other = _LETTERS * len(_OTHER.findall(text))
    return latin / (latin + other) if latin + other else 1.0


def centres(model: E5, english: list[str], chinese: list[str]) -> "Floats":
    """What the texts of each language have in common, in two rows of 384 numbers.

    Args:
        model: E5.
        english: texts.
        chinese: the same, translated.
    """
    import numpy as np

    rows: Floats = np.array(
        [
            np.vstack([model.embed(texts, "query"), model.embed(texts, "passage")]).mean(0)
            for texts in (english, chinese)
        ],
        np.float32,
    )
    return rows
