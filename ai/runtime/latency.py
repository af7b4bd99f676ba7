"""A histogram of durations that costs no allocation to keep and tells p50 and p99 within two per cent."""

# Durations below 2**_FINE ns have a bucket each, all others _HALF buckets per doubling.
_FINE = 7
_HALF = 1 << (_FINE - 1)
_LARGEST_BITS = 42  # 73 minutes


class LatencyHistogram:
    """Counts durations in buckets whose width is at most 1/64 of their value.

    The counters are a list: a hot path adds to a list's number in half the time that it takes NumPy.
    """

    __slots__ = ("_counts", "count", "max_ns")

    def __init__(self) -> None:
        self._counts = [0] * (_HALF * (_LARGEST_BITS - _FINE + 2))
        self.count = 0
        self.max_ns = 0

    def record(self, duration_ns: int) -> None:
        """Count one duration."""
        shift = duration_ns.bit_length() - _FINE
        if shift <= 0:
            self._counts[max(duration_ns, 0)] += 1
        else:
            at = shift * _HALF + (duration_ns >> shift)
            self._counts[min(at, len(self._counts) - 1)] += 1
        self.count += 1
        if duration_ns > self.max_ns:  # noqa: PLR1730 - max() costs a call
            self.max_ns = duration_ns

    def percentile_ns(self, percent: float) -> float:
        """Duration that `percent` of all do not exceed: the middle of its bucket; NaN where there is none."""
        if self.count == 0:
            return float("nan")
        wanted = max(1, -(-self.count * percent // 100))
        seen = 0
        for at, count in enumerate(self._counts):
            seen += count
            if seen >= wanted:
                return min(_middle_ns(at), float(self.max_ns))
        return float(self.max_ns)

    @property
    def p50_us(self) -> float:
        """Median in µs."""
        return self.percentile_ns(50) / 1e3

    @property
    def p99_us(self) -> float:
        """99th percentile in µs."""
        return self.percentile_ns(99) / 1e3

    def clear(self) -> None:
        """Forget all durations, such as those of the warm-up."""
        self._counts[:] = [0] * len(self._counts)
        self.count = self.max_ns = 0


def _middle_ns(at: int) -> float:
    if at < 2 * _HALF:
        return float(at)
    shift = at // _HALF - 1
    lowest = (at - shift * _HALF) << shift
    return lowest + ((1 << shift) - 1) / 2
