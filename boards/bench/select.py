# Virtual `select`: asks each Python stream itself, and hands waiting over to the bench. Knows no native file.
import benchlink

POLLIN, POLLOUT, POLLERR, POLLHUP = 1, 4, 8, 16
_IOCTL_POLL = 3


class poll:
    def __init__(self):
        self._map = {}

    def register(self, obj, mask=POLLIN | POLLOUT):
        self._map[id(obj)] = [obj, mask]

    modify = register

    def unregister(self, obj):
        self._map.pop(id(obj), None)

    def poll(self, timeout_ms=-1):
        return list(self.ipoll(timeout_ms))

    def ipoll(self, timeout_ms=-1, flags=0):
        """Ready (object, events) pairs; waits at most timeout_ms (negative: for ever)."""
        ready = self._ready()
        if ready or timeout_ms == 0:
            return iter(ready)
        deadline = benchlink.FOREVER if timeout_ms < 0 else benchlink.now_us() + timeout_ms * 1000
        while True:
            benchlink.idle_until(deadline)
            ready = self._ready()
            if ready or (deadline >= 0 and benchlink.now_us() >= deadline):
                return iter(ready)

    def _ready(self):
        ready = []
        for obj, mask in self._map.values():
            if hasattr(obj, "ioctl"):
                events = obj.ioctl(_IOCTL_POLL, mask)
                if events:
                    ready.append((obj, events))
        return ready
