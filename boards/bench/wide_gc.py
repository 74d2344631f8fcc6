# MicroPython's `gc` on a VM whose words are twice as wide as a chip's: a threshold in bytes that holds there takes
# twice as many here. Knows nothing else.
import gc as _gc

collect, enable, disable = _gc.collect, _gc.enable, _gc.disable
isenabled, mem_alloc, mem_free = _gc.isenabled, _gc.mem_alloc, _gc.mem_free


def threshold(amount=None):
    if amount is None:
        found = _gc.threshold()
        return found // 2 if found > 0 else found
    return _gc.threshold(2 * amount if amount > 0 else amount)
