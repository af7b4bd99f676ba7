"""OKX: what an account holds, and what its key may do."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from engine.credentials.asking import Answer, Ask, Clock, Question, refused
from engine.credentials.signing import hmac_base64
from engine.credentials.standing import Standing, balances_of
from engine.nautilus.adapters.okx import Parameters

_HOSTS: Final = {"global": "https://www.okx.com", "eea": "https://eea.okx.com", "us": "https://us.okx.com"}
_TITLE: Final = "OKX"


def check(parameters: Parameters, secrets: Mapping[str, str], ask: Ask, clock: Clock = time.time) -> Standing:
    """Standing of a key, which OKX tells in full."""
    base = (parameters.base_url_http or _HOSTS[parameters.region]).rstrip("/")
    is_demo = parameters.environment == "demo"
    key = _asked(base, "/api/v5/account/config", secrets, ask, clock, is_demo=is_demo)
    money = _asked(base, "/api/v5/account/balance", secrets, ask, clock, is_demo=is_demo)
    account = (key.get("data") or [{}])[0]
    words = [word for word in str(account.get("perm", "")).split(",") if word]
    held = (money.get("data") or [{}])[0].get("details") or ()
    return Standing(
        title=_TITLE,
        environment=parameters.environment,
        account=str(account.get("uid", "")),
        balances=balances_of({each["ccy"]: each.get("cashBal", 0) for each in held}),
        permissions=tuple(words),
        withdraws="withdraw" in words if words else None,
        latency_ms=key.took_ms,
        remarks=() if "trade" in words or not words else ("It cannot trade.",),
    )


def _asked(
    base: str, path: str, secrets: Mapping[str, str], ask: Ask, clock: Clock, *, is_demo: bool
) -> Answer:
    now = datetime.fromtimestamp(clock(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    headers = {
        "OK-ACCESS-KEY": secrets["api_key"],
        "OK-ACCESS-SIGN": hmac_base64(secrets["api_secret"], f"{now}GET{path}"),
        "OK-ACCESS-TIMESTAMP": now,
        "OK-ACCESS-PASSPHRASE": secrets["api_passphrase"],
        **({"x-simulated-trading": "1"} if is_demo else {}),
    }
    answer = ask(Question(f"{base}{path}", headers))
    if answer.status != 200 or answer.get("code") != "0":
        raise refused(_TITLE, answer, answer.get("msg"), secrets)
    return answer
