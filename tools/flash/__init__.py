"""Owns the flash station: many boards at once from a hub, flashed, provisioned, tested and labelled, with a record."""
