from judging import equal, given, lines

names = ["01-install.md", "02-first-steps.md", "03-faq.md"]
titles = ["Installing", "First steps", "Questions and answers"]
wanted = [f"- [{title}]({name})" for name, title in zip(names, titles, strict=True)]
equal([line for line in lines("guide/index.md") if line.startswith("-")], wanted, "index.md")
for name in names:
    found = lines(f"guide/{name}")
    equal(found[-1], "[Index](index.md)", f"the last line of {name}")
    equal("\n".join(found[:-1]).rstrip(), given(f"guide/{name}").rstrip(), name)
