"""The drawn graph: a change of its shape shows in the diff of a snapshot."""

from syrupy.assertion import SnapshotAssertion

from replan.graphs.agent import graph
from replan.graphs.build import build_agent


def test_the_drawn_graph(snapshot: SnapshotAssertion) -> None:
    assert build_agent().get_graph().draw_mermaid() == snapshot


def test_what_is_served_is_the_same_graph_without_a_checkpointer() -> None:
    assert graph.get_graph().draw_mermaid() == build_agent().get_graph().draw_mermaid()
    assert graph.checkpointer is None
