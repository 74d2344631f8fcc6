# Stands for MicroPython's `micropython` on CPython, as far as lib/ uses it. Must be found before any of that name.


def const(value):
    """On the device the compiler folds it; here it is the value."""
    return value


def native(function):
    """No machine code here."""
    return function


viper = native
