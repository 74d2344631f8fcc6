"""Owns what must hold before any other file is loaded. Must not know the token's tasks."""

import gc

gc.threshold(49152)  # collect before the heap grows into the radio stack's memory; smaller steps cost time each minute
