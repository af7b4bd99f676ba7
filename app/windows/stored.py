"""What the tick store holds, for lists and dialogs; nothing where there is no store yet."""

from pathlib import Path


def stored_instruments(store: Path) -> list[str]:
    """Ids of the stored instruments, sorted."""
    if not store.is_dir():
        return []
    from engine.store.store import Store  # noqa: PLC0415 - loads polars, which a window without a store can spare

    return Store(store).instruments()


def stored_kinds(store: Path, instrument: str) -> frozenset[str]:
    """Kinds of market data that are stored of an instrument."""
    from engine.store.store import Store  # noqa: PLC0415

    return frozenset(kind for kind in ("quotes", "trades", "deltas") if Store(store).files(instrument, kind))
