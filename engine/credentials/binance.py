"""Binance: what an account holds, and what its key may do."""

import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Final
from urllib.parse import quote, urlencode

from engine.credentials.asking import Answer, Ask, Clock, Question, refused
from engine.credentials.signing import ed25519_base64, hmac_hex
from engine.credentials.standing import Standing, balances_of
from engine.errors import UserError
from engine.nautilus.adapters.binance import FuturesParameters, SpotParameters

_USD: Final = {
    "testnet": "https://testnet.binancefuture.com",
    "demo": "https://demo-fapi.binance.com",
    "live": "https://fapi.binance.com",
}
_COIN: Final = {
    "testnet": "https://testnet.binancefuture.com",
    "demo": "https://demo-dapi.binance.com",
    "live": "https://dapi.binance.com",
}
_SPOT: Final = {
    "testnet": "https://testnet.binance.vision",
    "demo": "https://demo-api.binance.com",
    "live": "https://api.binance.com",
}
_CLOCK: Final = -1021
_MAY: Final = {
    "enableReading": "read",
    "enableSpotAndMarginTrading": "trade spot",
    "enableFutures": "trade futures",
    "enableMargin": "borrow on margin",
    "enableInternalTransfer": "transfer between accounts",
    "enableWithdrawals": "withdraw",
}


def check_futures(
    parameters: FuturesParameters, secrets: Mapping[str, str], ask: Ask, clock: Clock = time.time
) -> Standing:
    """Standing of a key at the futures' exchange; only the live spot host tells what a key may do."""
    is_usd = parameters.margined_in == "usd"
    hosts, path = (_USD, "/fapi/v2/account") if is_usd else (_COIN, "/dapi/v1/account")
    base = parameters.base_url_http or hosts[parameters.environment]
    told = _asked("Binance futures", base, path, secrets, ask, clock)
    restrictions = None
    if parameters.environment == "live" and not parameters.base_url_http:
        restrictions = _restrictions(_SPOT["live"], secrets, ask, clock)
    held = {str(each.get("asset")): each.get("walletBalance", 0) for each in told.get("assets") or ()}
    return _standing("Binance futures", parameters.environment, told, held, restrictions)


def check_spot(
    parameters: SpotParameters, secrets: Mapping[str, str], ask: Ask, clock: Clock = time.time
) -> Standing:
    """Standing of a key at the spot exchange."""
    host = "https://api.binance.us" if parameters.us else _SPOT[parameters.environment]
    base = parameters.base_url_http or host
    told = _asked("Binance spot", base, "/api/v3/account", secrets, ask, clock)
    restrictions = None
    if parameters.environment == "live" and not parameters.us:
        restrictions = _restrictions(base, secrets, ask, clock)
    held = {
        str(each.get("asset")): Decimal(str(each.get("free", 0))) + Decimal(str(each.get("locked", 0)))
        for each in told.get("balances") or ()
    }
    return _standing("Binance spot", parameters.environment, told, held, restrictions)


def _standing(
    title: str, environment: str, told: Answer, held: Mapping[str, object], restrictions: Answer | None
) -> Standing:
    if restrictions is None:
        may: tuple[str, ...] = ("trade",) if told.get("canTrade") else ()
        withdraws = None
        remarks: tuple[str, ...] = (
            "Binance tells only of live keys whether they may withdraw.",
            *(() if may else ("The account cannot trade.",)),
        )
    else:
        may = tuple(words for name, words in _MAY.items() if restrictions.get(name))
        withdraws = bool(restrictions.get("enableWithdrawals"))
        remarks = ()
        if not restrictions.get("ipRestrict"):
            remarks = ("It can be used from every address; restrict it to yours at Binance.",)
    return Standing(
        title=title,
        environment=environment,
        account=str(told.get("uid") or told.get("accountAlias") or ""),
        balances=balances_of(held),
        permissions=may,
        withdraws=withdraws,
        latency_ms=told.took_ms,
        remarks=remarks,
    )


def _restrictions(base: str, secrets: Mapping[str, str], ask: Ask, clock: Clock) -> Answer | None:
    answer = ask(_signed(base, "/sapi/v1/account/apiRestrictions", secrets, clock))
    return answer if answer.status == 200 and answer.get("enableWithdrawals") is not None else None


def _asked(title: str, base: str, path: str, secrets: Mapping[str, str], ask: Ask, clock: Clock) -> Answer:
    answer = ask(_signed(base, path, secrets, clock))
    if answer.status == 200 and isinstance(answer.data, dict):
        return answer
    if answer.get("code") == _CLOCK:
        raise UserError(
            f"This computer's clock differs from {title}'s; set it by the network, then try again."
        )
    raise refused(title, answer, answer.get("msg"), secrets)


def _signed(base: str, path: str, secrets: Mapping[str, str], clock: Clock) -> Question:
    query = urlencode({"recvWindow": 5_000, "timestamp": int(clock() * 1_000)})
    secret = secrets["api_secret"]
    is_pem = secret.lstrip().startswith("-----BEGIN")
    signature = quote(ed25519_base64(secret, query), safe="") if is_pem else hmac_hex(secret, query)
    return Question(
        f"{base.rstrip('/')}{path}?{query}&signature={signature}", {"X-MBX-APIKEY": secrets["api_key"]}
    )
