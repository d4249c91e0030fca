import configparser
import json
import shutil
from pathlib import Path

out = {}
for path in Path("conf").glob("*.ini"):
    read = configparser.ConfigParser()
    read.read(path)
    out[path.stem] = {name: dict(read[name]) for name in read.sections()}
Path("settings.json").write_text(json.dumps(out))
shutil.rmtree("conf")
