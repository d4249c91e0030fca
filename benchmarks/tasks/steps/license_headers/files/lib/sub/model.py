# Copyright Fern Ltd
class Model:
    pass
