"""Kraken: what an account holds, and of spot keys what they may do."""

import time
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Final
from urllib.parse import urlencode

from engine.credentials import signing
from engine.credentials.asking import Answer, Ask, Clock, Question, refused
from engine.credentials.standing import Standing, balances_of
from engine.nautilus.adapters.kraken import FuturesParameters, SpotParameters

_SPOT: Final = "https://api.kraken.com"
_FUTURES: Final = {"demo": "https://demo-futures.kraken.com", "live": "https://futures.kraken.com"}


def check_spot(
    parameters: SpotParameters, secrets: Mapping[str, str], ask: Ask, clock: Clock = time.time
) -> Standing:
    """Standing of a spot key, which may be asked about itself whatever it may do."""
    base = (parameters.base_url or _SPOT).rstrip("/")
    key = _asked_spot(base, "GetApiKeyInfo", secrets, ask, clock)
    money = _asked_spot(base, "Balance", secrets, ask, clock)
    words = [str(word) for word in key.get("result", "permissions") or ()]
    return Standing(
        title="Kraken spot",
        environment=parameters.environment,
        account=str(key.get("result", "api_key_name") or ""),
        balances=balances_of(money.get("result") or {}),
        permissions=tuple(words),
        withdraws=any("withdraw" in word.lower() for word in words) if words else None,
        latency_ms=key.took_ms,
    )


def check_futures(
    parameters: FuturesParameters, secrets: Mapping[str, str], ask: Ask, clock: Clock = time.time
) -> Standing:
    """Standing of a futures key; what it may do is not told."""
    base = (parameters.base_url or _FUTURES[parameters.environment]).rstrip("/")
    path, nonce = "/api/v3/accounts", str(int(clock() * 1_000))
    sign = signing.kraken(secrets["api_secret"], b"", f"{nonce}{path}".encode())
    headers = {"APIKey": secrets["api_key"], "Nonce": nonce, "Authent": sign}
    answer = ask(Question(f"{base}/derivatives{path}", headers))
    if answer.status != 200 or answer.get("result") != "success":
        raise refused("Kraken futures", answer, answer.get("error"), secrets)
    wallets = (answer.get("accounts") or {}).values()
    held: defaultdict[str, Decimal] = defaultdict(Decimal)
    for each in wallets:  # one of cash, and one a margined market
        for asset, total in (each.get("balances") or {}).items():
            held[asset] += Decimal(str(total))
    return Standing(
        title="Kraken futures",
        environment=parameters.environment,
        balances=balances_of(held),
        latency_ms=answer.took_ms,
    )


def _asked_spot(base: str, what: str, secrets: Mapping[str, str], ask: Ask, clock: Clock) -> Answer:
    path, nonce = f"/0/private/{what}", str(int(clock() * 1_000_000))
    body = urlencode({"nonce": nonce})
    headers = {
        "API-Key": secrets["api_key"],
        "API-Sign": signing.kraken(secrets["api_secret"], path.encode(), f"{nonce}{body}".encode()),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    answer = ask(Question(f"{base}{path}", headers, "POST", body.encode()))
    if answer.status != 200 or answer.get("error"):
        raise refused("Kraken spot", answer, ", ".join(map(str, answer.get("error") or ())), secrets)
    return answer
