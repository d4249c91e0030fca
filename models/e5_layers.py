"""The layers of multilingual-e5-small as a model for ONNX Runtime.

It lays the weights out once for its kernels, where numpy's BLAS does so for every product anew: a
question of some fifteen pieces takes half the time.
"""

from typing import TYPE_CHECKING, Any

from replan.models.onnx_model import model, node

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_GIVEN = "pieces"


class Layers:
    """All layers of the transformer, one text at a time.

    Args:
        tensors: the weights as rows of float32, by the names of the weights file; those of the
            layers are taken out.
        count: how many layers.
        heads: of the attention.
        width: numbers a piece.
        epsilon: of the norms.
    """

    def __init__(
        self, tensors: dict[str, Any], count: int, heads: int, width: int, epsilon: float
    ) -> None:
        import numpy as np
        import onnxruntime

        self._nodes: list[bytes] = []
        self._epsilon = epsilon
        self._weights: dict[str, Any] = {
            "by head": np.array([-1, 3, heads, width // heads], np.int64),
            "by piece": np.array([-1, width], np.int64),
            "each": np.array([1, 1, 1], np.int64),
            "scale": np.array((width // heads) ** -0.5, np.float32),
        }
        hidden = _GIVEN
        for layer in range(count):
            hidden = self._layer(tensors, f"l{layer}.", hidden)
        options = onnxruntime.SessionOptions()
        # A second core would wait for the first wherever something else runs too.
        options.intra_op_num_threads = 1
        # Texts differ in length: plans of memory for each would be kept and never met again.
        options.enable_mem_pattern = False
        whole = model(self._nodes, self._weights, _GIVEN, hidden, width)
        del self._nodes, self._weights
        self._session = onnxruntime.InferenceSession(
            whole, options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, pieces: "Floats") -> "Floats":
        """A row for each piece of the text, from the row of its embedding."""
        hidden: Floats = self._session.run(None, {_GIVEN: pieces})[0]
        return hidden

    def _layer(self, tensors: dict[str, Any], name: str, hidden: str) -> str:
        import numpy as np

        for end in (".w", ".b"):
            three = [tensors.pop(f"{name}{part}{end}") for part in ("q", "k", "v")]
            tensors[f"{name}qkv{end}"] = np.concatenate(three)
        seen = self._attention(self._linear(tensors, f"{name}qkv", hidden), name)
        attended = self._linear(tensors, f"{name}ao", seen)
        between = self._norm(tensors, f"{name}aln", hidden, attended)
        inner = self._add("Gelu", self._linear(tensors, f"{name}fi", between))
        return self._norm(tensors, f"{name}oln", between, self._linear(tensors, f"{name}fo", inner))

    def _attention(self, projected: str, name: str) -> str:
        """What each piece takes from the others, from query, key and value side by side."""
        split = self._add("Reshape", projected, "by head")
        split = self._add("Transpose", split, perm=[1, 2, 0, 3])
        query, key, value = (f"{name}{part}" for part in ("query", "key", "value"))
        self._nodes.append(node("Split", [split, "each"], [query, key, value], axis=0))
        scores = self._add("MatMul", query, self._add("Transpose", key, perm=[0, 1, 3, 2]))
        shares = self._add("Softmax", self._add("Mul", scores, "scale"), axis=3)
        seen = self._add("Transpose", self._add("MatMul", shares, value), perm=[2, 0, 1, 3])
        return self._add("Reshape", seen, "by piece")

    def _linear(self, tensors: dict[str, Any], name: str, hidden: str) -> str:
        import numpy as np

        bias = self._weights[f"{name}.b"] = tensors.pop(f"{name}.b")
        weights = tensors.pop(f"{name}.w").reshape(len(bias), -1)
        self._weights[f"{name}.w"] = np.ascontiguousarray(weights.T)
        return self._add("Add", self._add("MatMul", hidden, f"{name}.w"), f"{name}.b")

    def _norm(self, tensors: dict[str, Any], name: str, one: str, other: str) -> str:
        for end in (".w", ".b"):
            self._weights[name + end] = tensors.pop(name + end)
        total = self._add("Add", one, other)
        return self._add(
            "LayerNormalization", total, f"{name}.w", f"{name}.b", axis=1, epsilon=self._epsilon
        )

    def _add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Adds an operation; the name of its result."""
        result = f"r{len(self._nodes)}"
        self._nodes.append(node(operator, inputs, [result], **attributes))
        return result
