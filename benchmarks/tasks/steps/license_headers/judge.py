from judging import equal, given, kept, text

head = "# Copyright Fern Ltd\n"
changed = ["lib/core.py", "lib/sub/view.py", "tools/pack.py"]
for name in changed:
    equal(text(name).rstrip(), (head + given(name)).rstrip(), name)
equal(text("changed.txt").strip(), "3", "changed.txt")
kept(*changed)
