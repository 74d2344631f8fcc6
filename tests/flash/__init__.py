"""The flash station's tests: boards on a desk, as ports with a bootloader and MicroPython behind them."""
