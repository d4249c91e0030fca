"""The version of birdwatch."""

VERSION = "2.3.1"
