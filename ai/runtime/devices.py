"""One setting, `device = auto | cpu | cuda:N`, and the sentence that says what came of it."""

import ctypes
import re
import sys
from dataclasses import dataclass

from engine.errors import UserError


@dataclass(frozen=True, slots=True)
class Device:
    """Where a model runs: `cuda` is the device's number, None for the CPU; `told` says why, in words."""

    cuda: int | None
    told: str

    def __str__(self) -> str:
        return "cpu" if self.cuda is None else f"cuda:{self.cuda}"


def cuda_devices() -> int:
    """Count the CUDA devices that the driver offers; asks the driver alone, so it costs no torch."""
    name = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        driver = ctypes.CDLL(name)
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


def resolve_device(setting: str, found: int | None = None) -> Device:
    """Resolve the setting on this machine.

    Parameters
    ----------
    setting : str
        `auto`, `cpu` or `cuda:N`.
    found : int, optional
        CUDA devices here, instead of asking the driver.

    Raises
    ------
    UserError
        No such setting, or a device that is not here.
    """
    count = cuda_devices() if found is None else found
    if setting == "cpu":
        return Device(None, "Models run on the CPU, as set.")
    if setting == "auto":
        if count == 0:
            return Device(None, "Models run on the CPU: no CUDA device was found.")
        return Device(0, "Models may run on cuda:0; what is faster for each model is measured.")
    matched = re.fullmatch(r"cuda(?::(\d+))?", setting)
    if matched is None:
        raise UserError(f"Device {setting!r} is unknown; choose auto, cpu or cuda:0.")
    number = int(matched[1] or 0)
    if number >= count:
        there = (
            "no CUDA device"
            if count == 0
            else f"only cuda:0 to cuda:{count - 1}"
            if count > 1
            else "only cuda:0"
        )
        raise UserError(f"Device cuda:{number} is not here, {there} was found; set device to auto or cpu.")
    return Device(number, f"Models run on cuda:{number}, as set.")
