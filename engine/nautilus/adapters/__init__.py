"""Adapters of the engine that the station offers; the only place where they are named.

A venue is a module with its parameters (whose form is made of them), the keys that it needs, what it can do,
and how NautilusTrader's clients are made of that; it stands in `ADAPTERS`. NautilusTrader itself is loaded
when clients are built, so the window can show forms without it. What each can do follows its documentation
for NautilusTrader 2. Betfair is left out, as a bet is none of the station's orders; so is Blockchain, which
has no factory for execution.
"""

from engine.nautilus.adapters.adapter import (
    LIVE,
    MATCHING,
    Adapter,
    Capabilities,
    Client,
    Clients,
    ConnectionParameters,
    SecretField,
)
from engine.nautilus.adapters.clients import ADAPTERS, adapter_named, clients_of, parameters_of

__all__ = [
    "ADAPTERS",
    "LIVE",
    "MATCHING",
    "Adapter",
    "Capabilities",
    "Client",
    "Clients",
    "ConnectionParameters",
    "SecretField",
    "adapter_named",
    "clients_of",
    "parameters_of",
]
