"""Owns the kiosk: one visit over GATT, a service that waits for visitors, and its store-and-forward folder."""
