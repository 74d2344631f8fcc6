// Owns what this board changes in MicroPython: a name, no network, the product mapped from flash.
#define MICROPY_HW_BOARD_NAME "emask esp32c3"
#define MICROPY_HW_MCU_NAME "ESP32-C3"
#define MICROPY_VFS_ROM (1)
#define MICROPY_VFS_ROM_IOCTL (1)
#define MICROPY_PY_NETWORK (0)
#define MICROPY_PY_NETWORK_WLAN (0)
#define MICROPY_PY_ESPNOW (0)
