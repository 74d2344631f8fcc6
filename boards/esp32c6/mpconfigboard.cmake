# Owns how MicroPython's ESP-IDF build makes the base of this board (docs/FLASH has the command).
include(boards/mpconfigboard_esp32c6_common.cmake)

file(WRITE ${CMAKE_BINARY_DIR}/sdkconfig.emask
    "CONFIG_PARTITION_TABLE_CUSTOM_FILENAME=\"${MICROPY_BOARD_DIR}/../partitions.csv\"\n")
list(APPEND SDKCONFIG_DEFAULTS ${MICROPY_BOARD_DIR}/sdkconfig.board ${CMAKE_BINARY_DIR}/sdkconfig.emask)
set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/../manifest.py)
