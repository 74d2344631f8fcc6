"""Owns what must hold before any other file is loaded. Must not know the token's tasks."""

import gc

gc.threshold(24576)  # collected seldom, the heap is full of holes and a list's comparison finds no room in one piece
