# Copyright Fern Ltd
print("clean")
