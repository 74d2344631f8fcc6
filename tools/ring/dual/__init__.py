"""Owns what the trials of the ring run on both interpreters; it stands on their path, so nothing else is in it."""
