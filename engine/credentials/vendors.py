"""Vendors of data: what a key may be used for, by a request that costs nothing."""

import base64
from collections.abc import Mapping

from engine.credentials.asking import Ask, Question, refused
from engine.credentials.standing import Standing

_READ_ONLY = ("A vendor's key reads data, and moves no money.",)


def check_tardis(secrets: Mapping[str, str], ask: Ask) -> Standing:
    """Standing of a Tardis key: the exchanges it covers."""
    answer = ask(
        Question("https://api.tardis.dev/v1/api-key-info", {"Authorization": f"Bearer {secrets['key']}"})
    )
    if answer.status != 200 or not isinstance(answer.data, list):
        raise refused("Tardis.dev", answer, answer.get("message"), secrets)
    exchanges = sorted({str(each.get("exchange")) for each in answer.data if isinstance(each, dict)})
    return Standing(
        title="Tardis.dev",
        permissions=tuple(f"read {exchange}" for exchange in exchanges[:4]),
        withdraws=False,
        latency_ms=answer.took_ms,
        remarks=_READ_ONLY,
    )


def check_databento(secrets: Mapping[str, str], ask: Ask) -> Standing:
    """Standing of a Databento key."""
    word = base64.b64encode(f"{secrets['key']}:".encode()).decode()
    answer = ask(
        Question("https://hist.databento.com/v0/metadata.list_datasets", {"Authorization": f"Basic {word}"})
    )
    if answer.status != 200 or not isinstance(answer.data, list):
        raise refused("Databento", answer, answer.get("detail", "message"), secrets)
    return Standing(
        title="Databento",
        permissions=(f"read {len(answer.data)} datasets",),
        withdraws=False,
        latency_ms=answer.took_ms,
        remarks=_READ_ONLY,
    )
