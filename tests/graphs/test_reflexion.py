"""The lesson of a failed attempt reaches the next one."""

from typing import Any

from scripted_agent import Move, ScriptedAgent

GOAL = "Write the word hello to hello.txt"
LESSON = "Write the file itself with write_file."


async def test_the_next_attempt_is_told_the_lesson_of_the_last(start_agent) -> None:
    told: list[str] = []
    scripted = ScriptedAgent(
        [Move("python", "print('hello')"), Move("write_file", "hello", path="hello.txt")]
    )

    def answer(body: dict[str, Any]) -> Any:
        name = body.get("response_format", {}).get("json_schema", {}).get("name", "")
        if name == "reflect":
            done = '"text"' in str(body) or "Files changed by it: hello.txt" in str(body)
            return {
                "missing": "nothing" if done else "the file",
                "done": done,
                "progress": False,
                "lesson": "" if done else LESSON,
            }
        if name == "select_tool":
            told.append(str(body["messages"]))
        return scripted(body)

    async with start_agent(answer) as agent:
        values = await agent.run(GOAL, strategy="reflexion", remember="none")
        assert (values["status"], agent.read("hello.txt")) == ("done", "hello")
        assert LESSON not in told[0]
        assert f"Do now: {LESSON}" in told[1]
        [task] = await agent.tasks()
        assert [one["lesson"] for one in task["attempts"]] == [LESSON, ""]
