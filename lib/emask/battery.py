# Owns what the battery's voltage means: four levels, from millivolts, without going back and forth. Must not know who
# saves what at which level.
from micropython import const

_REST_MV = const(40)  # a level is left upwards only this far above its threshold: a cell recovers when it rests


def level(mv, before, thresholds_mv):
    """0 (full) .. 3: how many of the falling thresholds_mv the voltage is below; before: the level until now."""
    found = 0
    for number, threshold_mv in enumerate(thresholds_mv):
        if mv < threshold_mv + (_REST_MV if number < before else 0):
            found = number + 1
    return found
