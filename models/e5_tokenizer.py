"""Splits text into the pieces of a SentencePiece unigram vocabulary, as multilingual E5 does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

# SentencePiece writes a space as this, and begins every text with one.
_SPACE = "\u2581"
_IMPOSSIBLE = float("-inf")


class Piece(NamedTuple):
    """A piece of the vocabulary: its number, and the logarithm of how likely it is."""

    number: int
    score: float


@dataclass(frozen=True)
class UnigramTokenizer:
    """The most likely split of a text into pieces.

    Attributes:
        pieces: the vocabulary.
        normal: what single characters are written as before the split.
        unknown: number of the piece that stands for every character no piece holds.
        unknown_score: its score: below every other.
        longest: characters of the longest piece.
    """

    pieces: Mapping[str, Piece]
    normal: Mapping[int, str]
    unknown: int
    unknown_score: float
    longest: int

    def encode(self, text: str) -> list[int]:
        """The numbers of the pieces, without those for beginning and end."""
        written = " ".join(part for part in text.translate(self.normal).split(" ") if part)
        return self._most_likely(f" {written}".replace(" ", _SPACE))

    def _most_likely(self, text: str) -> list[int]:
        """Viterbi: the best split up to each character, from the best ones before it."""
        best = [0.0] + [_IMPOSSIBLE] * len(text)
        came: list[tuple[int, int]] = [(0, 0)] * (len(text) + 1)
        for start in range(len(text)):
            so_far = best[start]
            if so_far + self.unknown_score > best[start + 1]:
                best[start + 1] = so_far + self.unknown_score
                came[start + 1] = (start, self.unknown)
            for end in range(start + 1, min(start + self.longest, len(text)) + 1):
                piece = self.pieces.get(text[start:end])
                if piece and so_far + piece.score > best[end]:
                    best[end], came[end] = so_far + piece.score, (start, piece.number)
        numbers, end = [], len(text)
        while end:
            end, number = came[end]
            numbers.append(number)
        return numbers[::-1]
