import configparser

from judging import data, equal, gone, start

wanted = {}
for path in (start() / "conf").iterdir():
    read = configparser.ConfigParser()
    read.read(path)
    wanted[path.stem] = {name: dict(read[name]) for name in read.sections()}
equal(data("settings.json"), wanted, "settings.json")
gone("conf")
