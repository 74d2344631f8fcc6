"""Owns the host's side of the flash ring: its inspection, its trial by power cuts, its benchmarks."""
