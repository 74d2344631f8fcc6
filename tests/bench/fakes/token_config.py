"""Owns the settings of tests: what the product ships, on the shelf."""

ON_SHELF = True
