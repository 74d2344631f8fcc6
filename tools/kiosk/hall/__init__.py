"""Owns the kiosk in the village hall: page, flow, words, pictures, voice, slip. Knows bleak's API only."""
