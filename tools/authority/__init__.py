"""Owns the health authority's side: single-use codes, the intake of uploads, the publishing of lists."""
