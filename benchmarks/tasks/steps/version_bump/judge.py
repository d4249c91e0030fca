from judging import equal, given, kept, lines, probe, text

equal(
    text("settings.ini").rstrip(), given("settings.ini").replace("2.3.1", "2.4.0").rstrip(), "ini"
)
probe("from app.version import VERSION\nassert VERSION == '2.4.0', VERSION")
wanted = [line for line in given("CHANGES.md").replace("Unreleased", "2.4.0").split("\n") if line]
equal([line for line in lines("CHANGES.md") if line], wanted, "CHANGES.md")
kept("settings.ini", "app/version.py", "CHANGES.md")
