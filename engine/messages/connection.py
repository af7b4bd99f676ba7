"""How a session reaches a venue: what a connection profile says, without its keys.

It crosses to the engine process, is recorded and shown. Keys never stand in it; they travel apart from it and
only once, on the standard input of the engine process.
"""

import msgspec

type Value = int | float | str | bool


class Connection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One connection to a venue.

    Attributes
    ----------
    name : str
        The connection profile's; its keys are kept under this name.
    adapter : str
        Name in `engine.nautilus.adapters.ADAPTERS`.
    parameters : dict
        The adapter's parameters, validated by its own struct; `environment` is among them.
    real_money_allowed : bool
        The person's settings say `live_trading = true`. Without it no order leaves for an environment in
        which it would cost money.
    """

    name: str
    adapter: str
    parameters: dict[str, Value] = {}
    real_money_allowed: bool = False

    @property
    def environment(self) -> str:
        """Where it trades: `live` is real money; empty is the adapter's default, a trial."""
        return str(self.parameters.get("environment", ""))

    @property
    def account(self) -> str:
        """Account's name, which a person types to arm Live."""
        return str(self.parameters.get("account") or self.name)
