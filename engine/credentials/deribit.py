"""Deribit: what the accounts of a key hold, and its scope."""

import json
import secrets as random
import time
from collections.abc import Mapping
from typing import Any, Final

from engine.credentials.asking import Answer, Ask, Clock, Question, refused
from engine.credentials.signing import hmac_hex
from engine.credentials.standing import Standing, balances_of
from engine.nautilus.adapters.deribit import Parameters

_HOSTS: Final = {"testnet": "https://test.deribit.com", "live": "https://www.deribit.com"}
_TITLE: Final = "Deribit"
_SCOPES: Final = ("account", "trade", "wallet", "block_trade", "custody")


def check(parameters: Parameters, secrets: Mapping[str, str], ask: Ask, clock: Clock = time.time) -> Standing:
    """Standing of a key, whose scope is told when it is exchanged for a token of some minutes."""
    base = (parameters.base_url_http or _HOSTS[parameters.environment]).rstrip("/")
    now, nonce = str(int(clock() * 1_000)), random.token_hex(8)
    key = _asked(
        base,
        "public/auth",
        {
            "grant_type": "client_signature",
            "client_id": secrets["api_key"],
            "timestamp": int(now),
            "nonce": nonce,
            "data": "",
            "signature": hmac_hex(secrets["api_secret"], f"{now}\n{nonce}\n"),
        },
        {},
        secrets,
        ask,
    )
    token = {"Authorization": f"Bearer {key.get('result', 'access_token')}"}
    money = _asked(base, "private/get_account_summaries", {}, token, secrets, ask)
    scopes = [word for word in str(key.get("result", "scope") or "").split() if word.startswith(_SCOPES)]
    held = {
        str(each.get("currency")): each.get("equity", 0) for each in money.get("result", "summaries") or ()
    }
    return Standing(
        title=_TITLE,
        environment=parameters.environment,
        account=str(money.get("result", "username") or money.get("result", "id") or ""),
        balances=balances_of(held),
        permissions=tuple(scopes),
        withdraws="wallet:read_write" in scopes if scopes else None,
        latency_ms=key.took_ms,
    )


def _asked(
    base: str,
    method: str,
    params: Mapping[str, Any],
    headers: Mapping[str, str],
    secrets: Mapping[str, str],
    ask: Ask,
) -> Answer:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": dict(params)}).encode()
    sent = {"Content-Type": "application/json", **headers}
    answer = ask(Question(f"{base}/api/v2/{method}", sent, "POST", body))
    if answer.status != 200 or answer.get("result") is None:
        raise refused(_TITLE, answer, answer.get("error", "message"), secrets)
    return answer
