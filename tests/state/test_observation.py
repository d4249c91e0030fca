"""An observation as it is kept: with its sources, and as before where it has none."""

from replan.state.task import Action, Attempt, Observation, Source, Task

PAGE = Source(kind="page", name="https://example.org/", text="word for word")


def test_without_sources_it_is_kept_as_it_was_before_there_were_any() -> None:
    kept = Observation(ok=True, text="seen").model_dump()
    assert "sources" not in kept
    assert Observation.model_validate(kept) == Observation(ok=True, text="seen")


def test_sources_are_kept_with_the_task() -> None:
    seen = Observation(ok=True, sources=[PAGE])
    attempt = Attempt(action=Action(tool="read_page"), observation=seen)
    kept = Task(id="t1", title="read", attempts=[attempt]).model_dump()
    [again] = Task.model_validate(kept).attempts
    assert again.observation.sources == [PAGE]
