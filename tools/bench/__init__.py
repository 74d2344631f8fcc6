# The bench: real firmware on the real VM, without hardware (docs/TESTING.md).
# CPython only; the device never knows it exists.
