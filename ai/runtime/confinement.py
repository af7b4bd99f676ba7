"""Limits that a process puts on itself before it opens a stranger's model, and cannot take off again."""

import sys

if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    class _Basic(ctypes.Structure):
        _fields_ = (
            ("PerProcessUserTimeLimit", wintypes.LARGE_INTEGER),
            ("PerJobUserTimeLimit", wintypes.LARGE_INTEGER),
            ("LimitFlags", wintypes.DWORD),
            ("MinimumWorkingSetSize", ctypes.c_size_t),
            ("MaximumWorkingSetSize", ctypes.c_size_t),
            ("ActiveProcessLimit", wintypes.DWORD),
            ("Affinity", ctypes.c_size_t),
            ("PriorityClass", wintypes.DWORD),
            ("SchedulingClass", wintypes.DWORD),
        )

    class _Extended(ctypes.Structure):
        _fields_ = (
            ("Basic", _Basic),
            ("IoCounters", ctypes.c_ulonglong * 6),
            ("ProcessMemoryLimit", ctypes.c_size_t),
            ("JobMemoryLimit", ctypes.c_size_t),
            ("PeakProcessMemoryUsed", ctypes.c_size_t),
            ("PeakJobMemoryUsed", ctypes.c_size_t),
        )

    _ACTIVE_PROCESS, _PROCESS_MEMORY, _EXTENDED_LIMITS = 0x8, 0x100, 9

    def confine(memory_bytes: int, cpu_s: float) -> None:
        """Allow this process `memory_bytes` of committed memory and no child; the parent's clock bounds time.

        Raises
        ------
        OSError
            The limits could not be set, so nothing may be opened.
        """
        del cpu_s
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.CreateJobObjectW.restype = wintypes.HANDLE
        kernel.GetCurrentProcess.restype = wintypes.HANDLE
        kernel.SetInformationJobObject.argtypes = (
            wintypes.HANDLE,
            ctypes.c_int,
            ctypes.c_void_p,
            wintypes.DWORD,
        )
        kernel.AssignProcessToJobObject.argtypes = (wintypes.HANDLE, wintypes.HANDLE)
        job = kernel.CreateJobObjectW(None, None)
        limits = _Extended()
        limits.Basic.LimitFlags = _ACTIVE_PROCESS | _PROCESS_MEMORY
        limits.Basic.ActiveProcessLimit = 1
        # Committed memory that the libraries have taken is small beside what a model may take.
        limits.ProcessMemoryLimit = memory_bytes + (1 << 30)
        done = kernel.SetInformationJobObject(
            job, _EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits)
        ) and kernel.AssignProcessToJobObject(job, kernel.GetCurrentProcess())
        if not done:
            raise ctypes.WinError(ctypes.get_last_error())

    def resident_bytes() -> int | None:
        """Memory that this process holds; not measured here."""
        return None
else:
    import os
    import resource
    from pathlib import Path

    _STATM = Path("/proc/self/statm")

    def confine(memory_bytes: int, cpu_s: float) -> None:
        """Allow `memory_bytes` beyond what is mapped now, `cpu_s` more on the processor, and no file to grow.

        Raises
        ------
        OSError
            The limits could not be set, so nothing may be opened.
        """
        mapped = _pages(0)
        _lower(resource.RLIMIT_AS, (mapped or 0) + memory_bytes)
        used = resource.getrusage(resource.RUSAGE_SELF)
        _lower(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + cpu_s) + 1)
        _lower(resource.RLIMIT_FSIZE, 0)
        _lower(resource.RLIMIT_CORE, 0)

    def _lower(kind: int, limit: int) -> None:
        hard = resource.getrlimit(kind)[1]
        if hard != resource.RLIM_INFINITY:
            limit = min(limit, hard)
        resource.setrlimit(kind, (limit, limit))

    def resident_bytes() -> int | None:
        """Memory that this process holds; None where the system does not tell."""
        return _pages(1)

    def _pages(field: int) -> int | None:
        if not _STATM.exists():
            return None
        return int(_STATM.read_text().split()[field]) * os.sysconf("SC_PAGESIZE")
