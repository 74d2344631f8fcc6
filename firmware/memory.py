"""Owns the giving back of memory that modules take once nobody needs them. Must not know what they do."""

import gc
import sys


def put_away(names):
    """Forget the modules of these names; whoever imports one loads it again."""
    for name in names:
        if name in sys.modules:
            del sys.modules[name]
            package, _, inside = name.rpartition(".")
            if package in sys.modules and hasattr(sys.modules[package], inside):
                delattr(sys.modules[package], inside)
    gc.collect()
