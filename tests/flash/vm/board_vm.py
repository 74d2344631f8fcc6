"""One start of the board on the desk, on the real VM: flash, base, then a raw REPL as MicroPython's own answers it.

board_vm.py IMAGE CAUSE RAW FOLDER...: exit code 10 is a soft reset, 11 a hard one, 12: the product's main.py was due.
"""

import os
import select
import sys

_BANNER = b"raw REPL; CTRL-B to exit\r\n>"
_WINDOW = 256
_GRACE_MS = 2500

out = sys.stdout.buffer
stdin = sys.stdin.buffer


def start(image, cause, folders):
    import vfs

    sys.path[:] = folders + [".frozen"]
    import esp32
    import machine

    esp32.image = open(image, "r+b")
    machine.cause = cause
    try:
        mapped = esp32.Partition("romfs")
        data = bytearray(mapped.size)
        mapped.readblocks(0, data)
        if data[:3] == b"\xd2\xcd\x31":
            vfs.mount(vfs.VfsRom(bytes(data)), "/rom")
    except OSError:
        pass
    import _boot  # noqa: F401  (it runs)

    sys.path.extend(folders)  # what is frozen on a chip stands in folders here
    return sys.path[0] == "/rom"


def wants_repl():
    poll = select.poll()
    poll.register(sys.stdin, select.POLLIN)
    return bool(poll.poll(_GRACE_MS))


def run(code, scope):
    try:
        exec(compile(code, "<stdin>", "exec"), scope)
        out.write(b"\x04\x04>")
    except SystemExit as error:
        raise error
    except BaseException as error:
        out.write(b"\x04")
        sys.print_exception(error)
        out.write(b"\x04>")


def paste():
    code = b""
    out.write(b"R\x01" + _WINDOW.to_bytes(2, "little") + b"\x01")
    room = 2 * _WINDOW
    while True:
        got = stdin.read(1)
        if got == b"\x04":
            out.write(b"\x04")
            return code
        if not got:
            raise SystemExit(0)
        code += got
        room -= 1
        if room == _WINDOW:
            out.write(b"\x01")
            room += _WINDOW


def serve(raw):
    scope = {"__name__": "__main__"}
    line = b""
    if raw:
        out.write(_BANNER)
    while True:
        got = stdin.read(1)
        if not got:
            raise SystemExit(0)
        if got == b"\x01":
            raw, line = True, b""
            out.write(_BANNER)
        elif got == b"\x02":
            raw, line = False, b""
            out.write(b"\r\nMicroPython\r\n>>> ")
        elif got == b"\x03":
            line = b""
        elif got == b"\x05" and raw and not line:
            if stdin.read(2) == b"A\x01":
                run(paste(), scope)
        elif got == b"\x04":
            if raw:
                out.write(b"OK")
            if not line:
                out.write(b"\r\nMPY: soft reboot\r\n")
                raise SystemExit(10)
            run(line, scope)
            line = b""
        elif raw:
            line += got


def main(arguments):
    image, cause, raw, folders = arguments[1], int(arguments[2]), arguments[3] == "1", arguments[4:]
    ready = start(image, cause, folders)
    if ready and not raw and "main.py" in os.listdir("/rom") and not wants_repl():
        raise SystemExit(12)
    serve(raw)


main(sys.argv)
