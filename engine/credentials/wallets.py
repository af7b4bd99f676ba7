"""Venues on a chain, whose key is a wallet's: what the wallet holds there, and what the key is to it."""

import json
from collections.abc import Mapping
from typing import Any, Final

from engine.credentials.asking import Answer, Ask, Question, refused
from engine.credentials.standing import Standing, balances_of
from engine.errors import UserError
from engine.nautilus.adapters.dydx import Parameters as DydxParameters
from engine.nautilus.adapters.hyperliquid import Parameters as HyperliquidParameters
from engine.nautilus.adapters.wallets import dydx_address, hyperliquid_address

_HYPERLIQUID: Final = {
    "testnet": "https://api.hyperliquid-testnet.xyz",
    "live": "https://api.hyperliquid.xyz",
}
_DYDX: Final = {"testnet": "https://indexer.v4testnet.dydx.exchange", "live": "https://indexer.dydx.trade"}


def check_hyperliquid(parameters: HyperliquidParameters, secrets: Mapping[str, str], ask: Ask) -> Standing:
    """Standing of a key; that of an API wallet can trade, and only a master wallet's can withdraw."""
    base = (parameters.base_url_http or _HYPERLIQUID[parameters.environment]).rstrip("/")
    address = hyperliquid_address(secrets["private_key"])
    key = _info(base, {"type": "userRole", "user": address}, secrets, ask)
    role = str(key.get("role"))
    if role == "missing":
        raise UserError(
            f"Hyperliquid {parameters.environment} does not know the key's wallet {address}; approve it "
            "there as an API wallet, or look at the environment."
        )
    master = parameters.vault_address or parameters.account_address or key.get("data", "user") or address
    money = _info(base, {"type": "clearinghouseState", "user": master}, secrets, ask)
    value = money.get("marginSummary", "accountValue") or 0
    return Standing(
        title="Hyperliquid",
        environment=parameters.environment,
        account=str(master),
        balances=balances_of({"USDC": value}),
        permissions=("trade",),
        withdraws=role != "agent",
        latency_ms=key.took_ms,
    )


def check_dydx(parameters: DydxParameters, secrets: Mapping[str, str], ask: Ask) -> Standing:
    """Standing of a wallet's sub-account, which anybody may look at."""
    address = parameters.wallet_address or dydx_address(secrets["private_key"])
    url = f"{_DYDX[parameters.environment]}/v4/addresses/{address}/subaccountNumber/{parameters.subaccount}"
    answer = ask(Question(url))
    if answer.status == 404:
        raise UserError(
            f"dYdX {parameters.environment} has no sub-account {parameters.subaccount} of {address}; it is "
            "made by the first deposit."
        )
    if answer.status != 200:
        raise refused("dYdX", answer, "", secrets)
    return Standing(
        title="dYdX",
        environment=parameters.environment,
        account=f"{address}/{parameters.subaccount}",
        balances=balances_of({"USDC": answer.get("subaccount", "equity") or 0}),
        latency_ms=answer.took_ms,
        remarks=("A wallet's key can always move what the wallet holds, so keep little there.",),
    )


def _info(base: str, body: Mapping[str, Any], secrets: Mapping[str, str], ask: Ask) -> Answer:
    answer = ask(
        Question(
            f"{base}/info", {"Content-Type": "application/json"}, "POST", json.dumps(dict(body)).encode()
        )
    )
    if answer.status != 200 or not isinstance(answer.data, dict):
        raise refused("Hyperliquid", answer, "", secrets)
    return answer
