from judging import equal, lines

equal(lines("password.txt"), ["14", "2023-06-01"], "password.txt")
