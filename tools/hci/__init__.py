"""Owns the reading of HCI captures and what a token would have heard in them."""
