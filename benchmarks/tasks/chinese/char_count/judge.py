from judging import data, equal, given, kept

body = given("文章.txt")
equal(data("字数.json"), {char: body.count(char) for char in "水山月"}, "字数.json")
kept()
