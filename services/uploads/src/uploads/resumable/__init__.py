"""Uploads that go on where they broke off (tus 1.0): pieces come one after another and lie in the object store until
the file is whole; then it goes the way of every other file."""
