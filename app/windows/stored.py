"""What the tick store holds, for lists and dialogs; nothing where there is no store yet."""

from pathlib import Path


def stored_instruments(store: Path) -> list[str]:
    """Ids of the stored instruments, sorted."""
    if not store.is_dir():
        return []
    from engine.store.store import Store  # noqa: PLC0415 - loads polars, which a window without a store can spare

    return Store(store).instruments()
