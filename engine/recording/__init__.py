"""Recordings: what a session saw and did, written once while it happens, by a thread of its own.

Layout
------
::

    RECORDINGS/YYYYMMDD-HHMMSS-INSTRUMENT/
        manifest.json             what ran, over what, when, and how it ended
        events-000001.jsonl       everything that happened and every command, a line each
        quotes-000001.arrows      market data as received, a file of record batches per kind and stretch
        audit.jsonl               orders, risk and who said so, chained by hash; see `engine.recording.audit`

An id begins with the second (UTC) in which the session began; a second session of the same second gets `-2`.

`manifest.json` is rewritten once, when the session ends: one without `ended_ns` is of a session that still
records (its `.lock` is then held) or of a process that was killed. It then ends at most a second before the
process did, because every quarter of a second all that came is handed to the operating system.

A line of the events is one JSON object: `number` counts the lines from 1, `ts` is market time and `at_ns` the
wall clock (ns UTC), `epoch` the run of the session that it belongs to, and `event` or `command` what it was,
as `engine.messages` defines it.

Market data are Arrow IPC streams in the columns of the tick store (see `engine.store`), ZSTD-compressed:
`polars.read_ipc_stream` and `pyarrow.ipc.open_stream` read them as they lie. The metadata of a stream's
schema count: `first_row` is the place of its first row among all that the session received of this kind, from
0; `lost_before` says how many rows just before it came faster than the disk took them; the first `head_rows`
rows of book updates are no update but the whole book so far (CLEAR, then ADD, as a snapshot), because the
files before may be gone: they make room when a recording reaches its cap. After lost rows the book is not
known, and the head is a CLEAR alone. Whoever reads file after file passes the heads over.
"""
