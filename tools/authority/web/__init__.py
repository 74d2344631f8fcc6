"""Owns the authority's web service: uploads in, codes out, counts, proposals. It never holds a key that signs lists."""
