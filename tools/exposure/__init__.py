"""Owns the distance work on the host: recordings, the fit of the rule, and how well it decides. Knows no firmware."""
