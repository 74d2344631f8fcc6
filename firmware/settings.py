"""Owns the values that differ by issue of the product, not by board. Must not know how they are used.

A file token_config.py beside it may replace any of them.
"""

from micropython import const

FIRMWARE_VERSION = const(2)
SCHEME = "bluezone"
ON_SHELF = True  # as delivered: silent until handed over
RETENTION_DAYS = 21
INFECTIOUS_DAYS = 14
TIME_ZONE_S = 25200  # Viet Nam, UTC+7: daytime hours of the alert
REGION = 0  # of the lists it takes; 0 is a country with one list
ROOT_KEY = bytes(32)  # the authority's; with zeros the token trusts nobody
RECOVERY_KEY = bytes(32)  # alone names another root; with zeros there is never another
NAME = "KT"  # neutral, the same for every token

try:
    from token_config import *  # noqa: F403
except ImportError:
    pass
