"""Owns the release of device code: the product's image, its signature, the bundle that goes to a flash station."""
