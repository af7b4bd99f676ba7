"""Bybit: what a unified account holds, and what its key may do."""

import time
from collections.abc import Mapping
from typing import Final

from engine.credentials.asking import Answer, Ask, Clock, Question, refused
from engine.credentials.signing import hmac_hex
from engine.credentials.standing import Standing, balances_of
from engine.nautilus.adapters.bybit import Parameters

_HOSTS: Final = {
    "testnet": "https://api-testnet.bybit.com",
    "demo": "https://api-demo.bybit.com",
    "live": "https://api.bybit.com",
}
_WINDOW: Final = "5000"
_TITLE: Final = "Bybit"


def check(parameters: Parameters, secrets: Mapping[str, str], ask: Ask, clock: Clock = time.time) -> Standing:
    """Standing of a key, which Bybit tells in full."""
    base = (parameters.base_url_http or _HOSTS[parameters.environment]).rstrip("/")
    key = _asked(base, "/v5/user/query-api", "", secrets, ask, clock)
    money = _asked(base, "/v5/account/wallet-balance", "accountType=UNIFIED", secrets, ask, clock)
    granted = key.get("result", "permissions") or {}
    words = [str(word) for group in granted.values() if isinstance(group, list) for word in group]
    accounts = money.get("result", "list") or [{}]
    return Standing(
        title=_TITLE,
        environment=parameters.environment,
        account=str(key.get("result", "userID") or ""),
        balances=balances_of({each["coin"]: each["walletBalance"] for each in accounts[0].get("coin", [])}),
        permissions=("read",) if key.get("result", "readOnly") == 1 else tuple(words),
        withdraws=any("withdraw" in word.lower() for word in words),
        latency_ms=key.took_ms,
        remarks=("It can only read.",) if key.get("result", "readOnly") == 1 else (),
    )


def _asked(base: str, path: str, query: str, secrets: Mapping[str, str], ask: Ask, clock: Clock) -> Answer:
    now = str(int(clock() * 1_000))
    headers = {
        "X-BAPI-API-KEY": secrets["api_key"],
        "X-BAPI-TIMESTAMP": now,
        "X-BAPI-RECV-WINDOW": _WINDOW,
        "X-BAPI-SIGN": hmac_hex(secrets["api_secret"], f"{now}{secrets['api_key']}{_WINDOW}{query}"),
    }
    answer = ask(Question(f"{base}{path}{'?' if query else ''}{query}", headers))
    if answer.status != 200 or answer.get("retCode") != 0:
        raise refused(_TITLE, answer, answer.get("retMsg"), secrets)
    return answer
