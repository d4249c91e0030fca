"""Writes a model for ONNX Runtime: nodes and weights in the protocol buffers of the ONNX format.

Only what is needed to write one; the package `onnx`, which also reads, checks and converts, is as
large as the models here.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32] | NDArray[np.int64]

Attribute = int | float | Sequence[int]

_IR_VERSION = 9
_OPSET = 20  # the first that has Gelu
_ELEMENT_TYPES = {"float32": 1, "int64": 7}
_FLOAT, _INT, _INTS = 1, 2, 7  # types of attributes


def node(
    operator: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Attribute
) -> bytes:
    """One operation, such as `node("Add", ["a", "b"], ["sum"])`."""
    return (
        b"".join(_field(1, name) for name in inputs)
        + b"".join(_field(2, name) for name in outputs)
        + _field(4, operator)
        + b"".join(_field(5, _attribute(name, value)) for name, value in attributes.items())
    )


def model(
    nodes: Sequence[bytes], weights: Mapping[str, "Array"], given: str, asked: str, width: int
) -> bytes:
    """A whole model that maps rows of numbers to as many rows.

    Args:
        nodes: in the order in which they are computed.
        weights: numbers that the nodes use, by name.
        given: name of the input.
        asked: name of the output.
        width: numbers in a row of either.
    """
    graph = (
        b"".join(_field(1, one) for one in nodes)
        + _field(2, "graph")
        + b"".join(_field(5, _tensor(name, array)) for name, array in weights.items())
        + _field(11, _rows(given, width))
        + _field(12, _rows(asked, width))
    )
    return _field(1, _IR_VERSION) + _field(7, graph) + _field(8, _field(1, "") + _field(2, _OPSET))


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, float):
        return _field(1, name) + _field(2, value) + _field(20, _FLOAT)
    if isinstance(value, int):
        return _field(1, name) + _field(3, value) + _field(20, _INT)
    return _field(1, name) + b"".join(_field(8, one) for one in value) + _field(20, _INTS)


def _tensor(name: str, array: "Array") -> bytes:
    return (
        b"".join(_field(1, size) for size in array.shape)
        + _field(2, _ELEMENT_TYPES[str(array.dtype)])
        + _field(8, name)
        + _field(9, array.tobytes())
    )


def _rows(name: str, width: int) -> bytes:
    shape = _field(1, _field(2, "rows")) + _field(1, _field(1, width))
    return _field(1, name) + _field(
        2, _field(1, _field(1, _ELEMENT_TYPES["float32"]) + _field(2, shape))
    )


def _field(number: int, value: int | float | str | bytes) -> bytes:
    """A field of a protocol buffer: its number and wire type, and what it holds."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    if isinstance(value, float):
        return _varint(number << 3 | 5) + struct.pack("<f", value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    parts.append(number)
    return bytes(parts)
