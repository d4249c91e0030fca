from pathlib import Path

for path in [Path("main.py"), *Path("app").glob("*.py")]:
    path.write_text(path.read_text().replace("get_data", "load_records"))
