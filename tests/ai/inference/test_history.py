"""Feature rows that are kept: what is asked for comes back whole, across blocks, and nothing is nothing."""

from ai.inference.history import BLOCK_ROWS, History


def _filled(rows: int, window: int) -> History:
    history, at, block = History(window, 2), 0, None
    for row in range(rows):
        if block is None or at == len(block.ts):
            at, block = (0, history.blocks[0]) if block is None else (window - 1, history.next_block())
        block.x[at] = row, -row
        block.ts[at] = 10 * row
        at += 1
    return history


def test_rows_across_blocks_and_no_rows() -> None:
    history = _filled(BLOCK_ROWS + 500, window=7)
    start, end = BLOCK_ROWS - 100, BLOCK_ROWS + 400
    assert history.rows(start, end)[:, 0].tolist() == list(range(start, end))
    assert history.rows(end, end).shape == (0, 2)
