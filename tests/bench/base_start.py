"""One start of a token with the base, as MicroPython makes it: map the image, run _boot, then main.py of where it is.

Settings come from the folder `given`, as a station writes them, at the first start. Runs on the bench in place of boot.
"""

import os
import sys

import esp32
import vfs

given = [path for path in sys.path if path.endswith(".given")][0]
frozen = [path for path in sys.path if path != given and path != ".frozen"]  # on a chip they are in MicroPython


def mapped():
    # Names that were imported from an image are kept where they stand in it. A chip that maps another one starts anew;
    # this process goes on, so every image that it ever mapped must stay in memory.
    device = esp32.Partition("romfs")
    data = bytearray(device.ioctl(4) * 4096)
    device.readblocks(0, data)
    if data[:3] != b"\xd2\xcd\x31":
        return b""
    esp32.images = getattr(esp32, "images", [])
    for known in esp32.images:
        if known == data:
            return known
    esp32.images.append(bytes(data))
    return esp32.images[-1]


def settings():
    if "release.pub" not in os.listdir("/config"):
        for name in os.listdir(given):
            with open(given + "/" + name, "rb") as source, open("/config/" + name, "wb") as target:
                target.write(source.read())


os.chdir("/")
for place in ("/rom", "/config"):
    try:
        vfs.umount(place)
    except OSError:
        pass  # the first start of this process
image = mapped()
if image:
    vfs.mount(vfs.VfsRom(image), "/rom")
import _boot  # noqa: E402, F401  (it runs)

settings()
sys.path[:] = frozen[:1] + sys.path + frozen[1:]  # the bench's own modules stand for the chip's
if os.getcwd() == "/rom":
    with open("main.py") as file:
        exec(compile(file.read(), "main.py", "exec"), {"__name__": "__main__"})
