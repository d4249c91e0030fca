"""What several copies of a folder changed, merged three-way: nothing is lost silently."""

from typing import Any

import pytest

from replan.storage.manifest import Entry, Manifest
from replan.storage.merge import Conflict, Merging

FOLDER = Entry("folder", 0o755, "")


def file(text: str, mode: int = 0o644) -> Entry:
    return Entry("file", mode, text, len(text))


def link(target: str) -> Entry:
    return Entry("link", 0o777, target)


BASE: Manifest = {
    "a.txt": file("a"),
    "d": FOLDER,
    "d/b.txt": file("b"),
    "d/c.bin": file("\0\1"),
    "l": link("a.txt"),
}


def changed(**changes: Entry | None) -> Manifest:
    """The base with paths set, or removed where the value is None; `__` stands for "/", and `_`
    before the end for the dot.
    """
    made = dict(BASE)
    for name, entry in changes.items():
        path = name.replace("__", "/").replace("_", ".")
        made.pop(path, None)
        if entry is not None:
            made[path] = entry
    return made


def merged(*sides: Manifest, now: Manifest | None = None) -> Merging:
    """Sides t1, t2, ... taken into the base."""
    merging = Merging(BASE if now is None else now)
    for number, theirs in enumerate(sides, start=1):
        merging.take_in(f"t{number}", BASE, theirs)
    return merging


@pytest.mark.parametrize(
    ("one", "two", "result"),
    [
        ({"a_txt": file("x")}, {}, {"a_txt": file("x")}),
        ({"a_txt": file("x")}, {"d__b_txt": file("y")},
         {"a_txt": file("x"), "d__b_txt": file("y")}),
        ({"a_txt": file("x")}, {"a_txt": file("x")}, {"a_txt": file("x")}),
        ({"a_txt": None}, {"a_txt": None}, {"a_txt": None}),
        ({"a_txt": None}, {"new_txt": file("n")}, {"a_txt": None, "new_txt": file("n")}),
        # A rename is one path less and one more.
        ({"a_txt": None, "z_txt": file("a")}, {"l": link("z.txt")},
         {"a_txt": None, "z_txt": file("a"), "l": link("z.txt")}),
        # Content by the one, mode by the other.
        ({"a_txt": file("x")}, {"a_txt": file("a", 0o755)}, {"a_txt": file("x", 0o755)}),
        ({"a_txt": file("a", 0o755)}, {"a_txt": file("x")}, {"a_txt": file("x", 0o755)}),
        ({"d": Entry("folder", 0o700, "")}, {"d__b_txt": file("y")},
         {"d": Entry("folder", 0o700, ""), "d__b_txt": file("y")}),
        # A folder removed by the one is there again for what the other puts into it.
        ({"d": None, "d__b_txt": None, "d__c_bin": None}, {"d__new": file("n")},
         {"d__b_txt": None, "d__c_bin": None, "d__new": file("n")}),
        ({"d__new": file("n")}, {"d": None, "d__b_txt": None, "d__c_bin": None},
         {"d__b_txt": None, "d__c_bin": None, "d__new": file("n")}),
        # What becomes another kind of thing.
        ({"l": file("no link now")}, {}, {"l": file("no link now")}),
        ({"d": file("flat"), "d__b_txt": None, "d__c_bin": None}, {},
         {"d": file("flat"), "d__b_txt": None, "d__c_bin": None}),
    ],
)  # fmt: skip
def test_what_does_not_meet_is_taken(one: Any, two: Any, result: Any) -> None:
    merging = merged(changed(**one), changed(**two))
    assert merging.manifest == changed(**result)
    assert merging.conflicts == []


@pytest.mark.parametrize(
    ("one", "two", "path", "kept", "result"),
    [
        ({"a_txt": file("x")}, {"a_txt": file("y")}, "a.txt", file("y"), {"a_txt": file("x")}),
        ({"n": file("x")}, {"n": file("y")}, "n", file("y"), {"n": file("x")}),
        ({"n": file("x")}, {"n": link("y")}, "n", link("y"), {"n": file("x")}),
        ({"l": link("x")}, {"l": link("y")}, "l", link("y"), {"l": link("x")}),
        ({"a_txt": file("x")}, {"a_txt": None}, "a.txt", None, {"a_txt": file("x")}),
        ({"a_txt": None}, {"a_txt": file("y")}, "a.txt", file("y"), {"a_txt": None}),
        ({"a_txt": file("a", 0o600)}, {"a_txt": file("a", 0o755)}, "a.txt", None,
         {"a_txt": file("a", 0o600)}),
        # A file where the other has a folder.
        ({"n": file("x")}, {"n": FOLDER}, "n", None, {"n": file("x")}),
        ({"n": FOLDER, "n__m": file("x")}, {"n": file("y")}, "n", file("y"),
         {"n": FOLDER, "n__m": file("x")}),
        ({"d": file("flat"), "d__b_txt": None, "d__c_bin": None}, {"d__new": file("y")},
         "d/new", file("y"), {"d": file("flat"), "d__b_txt": None, "d__c_bin": None}),
        ({"d__new": file("x")}, {"d": file("flat"), "d__b_txt": None, "d__c_bin": None},
         "d", file("flat"), {"d__b_txt": None, "d__c_bin": None, "d__new": file("x")}),
    ],
)  # fmt: skip
def test_what_cannot_be_both_is_a_conflict_and_kept(
    one: Any, two: Any, path: str, kept: Entry | None, result: Any
) -> None:
    merging = merged(changed(**one), changed(**two))
    place = f".conflicts/t2/{path}" if kept else ""
    assert merging.conflicts == [Conflict(path, "t2", "t1", place)]
    in_place = {
        name: entry
        for name, entry in merging.manifest.items()
        if name != ".conflicts" and not name.startswith(".conflicts/")
    }
    assert in_place == changed(**result)
    if kept:
        assert merging.manifest[place] == kept
        assert merging.manifest[".conflicts"] == merging.manifest[".conflicts/t2"] == FOLDER


def test_what_a_person_changed_meanwhile_is_against_nobody() -> None:
    merging = merged(changed(a_txt=file("y")), now=changed(a_txt=file("by the user")))
    assert merging.conflicts == [Conflict("a.txt", "t1", "", ".conflicts/t1/a.txt")]
    assert merging.manifest["a.txt"] == file("by the user")


def test_merged_once_more_it_is_the_same() -> None:
    """A join that was broken off is made again from what it has left."""
    sides = [changed(a_txt=file("x"), n=file("n")), changed(a_txt=file("y"), d__b_txt=None)]
    first = merged(*sides)
    again = merged(*sides, now=first.manifest)
    assert again.manifest == first.manifest
    assert [(one.path, one.kept) for one in again.conflicts] == [("a.txt", ".conflicts/t2/a.txt")]


def test_a_version_kept_before_is_not_written_over() -> None:
    earlier = changed(a_txt=file("x"))
    earlier.update({".conflicts": FOLDER, ".conflicts/t1": FOLDER})
    earlier[".conflicts/t1/a.txt"] = file("of an earlier goal")
    merging = merged(changed(a_txt=file("y")), now=earlier)
    assert merging.conflicts[0].kept == ".conflicts.2/t1/a.txt"
    assert merging.manifest[".conflicts/t1/a.txt"] == file("of an earlier goal")
    assert merging.manifest[".conflicts.2/t1/a.txt"] == file("y")


def test_where_versions_are_kept_is_inside_and_free() -> None:
    """Whatever a planner calls its tasks, and whatever stands where they would be kept."""
    merging = Merging(changed(a_txt=file("x")))
    merging.manifest[".conflicts"] = file("a file of the user's")
    merging.take_in("../up", BASE, changed(a_txt=file("y")))
    assert merging.conflicts[0].kept == ".conflicts.2/_up/a.txt"
