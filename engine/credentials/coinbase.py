"""Coinbase: what a portfolio holds, and what its key may do."""

import secrets as random
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from engine.credentials.asking import Answer, Ask, Clock, Question, refused
from engine.credentials.signing import jwt_es256
from engine.credentials.standing import Standing, balances_of
from engine.nautilus.adapters.coinbase import Parameters

_HOSTS: Final = {"sandbox": "https://api-sandbox.coinbase.com", "live": "https://api.coinbase.com"}
_LIFE_S: Final = 120
_TITLE: Final = "Coinbase"


def check(parameters: Parameters, secrets: Mapping[str, str], ask: Ask, clock: Clock = time.time) -> Standing:
    """Standing of a key; the sandbox gives prepared answers to everybody, and tells nothing of keys."""
    base = (parameters.base_url_rest or _HOSTS[parameters.environment]).rstrip("/")
    money = _asked(base, "/api/v3/brokerage/accounts", secrets, ask, clock)
    held = {
        str(each.get("currency")): (each.get("available_balance") or {}).get("value", 0)
        for each in money.get("accounts") or ()
    }
    if parameters.environment == "sandbox":
        return Standing(
            title=_TITLE,
            environment="sandbox",
            balances=balances_of(held),
            latency_ms=money.took_ms,
            remarks=("The sandbox gives the same answers to every key, so this says nothing of yours.",),
        )
    key = _asked(base, "/api/v3/brokerage/key_permissions", secrets, ask, clock)
    may = tuple(words for name, words in (("can_view", "read"), ("can_trade", "trade")) if key.get(name))
    transfers = bool(key.get("can_transfer"))
    return Standing(
        title=_TITLE,
        environment=parameters.environment,
        account=str(key.get("portfolio_uuid") or ""),
        balances=balances_of(held),
        permissions=(*may, *(("transfer",) if transfers else ())),
        withdraws=transfers,
        latency_ms=money.took_ms,
    )


def _asked(base: str, path: str, secrets: Mapping[str, str], ask: Ask, clock: Clock) -> Answer:
    now = int(clock())
    token = jwt_es256(
        secrets["api_secret"],
        {"alg": "ES256", "typ": "JWT", "kid": secrets["api_key"], "nonce": random.token_hex(16)},
        {
            "iss": "cdp",
            "sub": secrets["api_key"],
            "nbf": now,
            "exp": now + _LIFE_S,
            "uri": f"GET {urlsplit(base).netloc}{path}",
        },
    )
    answer = ask(Question(f"{base}{path}", {"Authorization": f"Bearer {token}"}))
    if answer.status != 200 or not isinstance(answer.data, dict):
        raise refused(_TITLE, answer, answer.get("message") or answer.get("error"), secrets)
    return answer
