"""The exchange of the tests, for benches that trade at one: on this machine, and only from the repository."""

from typing import TYPE_CHECKING, Any, Final

from engine.errors import UserError
from engine.link.endpoint import Secrets
from engine.messages.connection import Connection
from engine.messages.run import Run

if TYPE_CHECKING:
    from tests.venue import ProcessVenue

ACCOUNT: Final = "BENCH"

_NO_LIMIT: Final = 100_000


def exchange(**setup: Any) -> "ProcessVenue":
    """An exchange with a generated market in a process of its own; `setup` as `tests.venue.Setup` has it.

    Raises
    ------
    UserError
        The program was installed without its tests.
    """
    try:
        from tests.venue import ProcessVenue, Setup  # noqa: PLC0415 - stands beside the program, not in it
    except ImportError:
        raise UserError(
            "The exchange that this bench trades at is part of the repository; run it there, "
            "with .venv/bin/nexttick bench."
        ) from None
    limits = {"orders_10s": _NO_LIMIT, "orders_1m": _NO_LIMIT, "weight_limit": _NO_LIMIT}
    return ProcessVenue(Setup(market="crypto", **{**limits, **setup}))


def run_at(venue: "ProcessVenue") -> Run:
    """A live run by hand at the exchange, on the account `ACCOUNT`."""
    return Run(
        instrument=f"{venue.at.symbols[0]}-PERP.BINANCE",
        mode="live",
        connection=Connection(
            name="bench",
            adapter="binance_futures",
            parameters={
                "environment": "testnet",
                "account": ACCOUNT,
                "base_url_http": venue.at.http,
                "base_url_ws": venue.at.ws,
                "base_url_ws_trading": venue.at.trading,
            },
        ),
    )


def keys_at(venue: "ProcessVenue", run: Run) -> Secrets:
    """Keys of the exchange for the run."""
    return {run.profile: {"api_key": venue.setup.key, "api_secret": venue.setup.secret}}
