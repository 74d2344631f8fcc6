# Owns what is frozen into MicroPython on every board, in place of the port's own manifest. The product is not in it:
# that comes as an image and is mapped from flash (docs/FLASH).
AIOBLE = "0.6.2"

include("$(MPY_DIR)/extmod/asyncio")
freeze("$(PORT_DIR)/modules", "flashbdev.py")
freeze("base", ("_boot.py", "slots.py"))
freeze("../lib", ("emask_crypto/__init__.py", "emask_crypto/ed25519.py", "emask_crypto/sha512.py"))
require("aioble", version=AIOBLE)
