"""What the venue refuses, with Binance's own codes and words."""

from collections.abc import Mapping


class Refusal(Exception):  # noqa: N818 - it reads as what the venue says
    """One refused request: Binance's code, its sentence and the HTTP status that goes with it."""

    def __init__(
        self, code: int, message: str, status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status
        self.headers = dict(headers or {})

    @property
    def body(self) -> dict[str, object]:
        """The answer's JSON."""
        return {"code": self.code, "msg": self.message}


def missing(name: str) -> Refusal:
    """A parameter that must be there is not, or cannot be read."""
    return Refusal(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def unknown_symbol() -> Refusal:
    """No such symbol."""
    return Refusal(-1121, "Invalid symbol.")


def unknown_order(*, cancelling: bool) -> Refusal:
    """No such order, or none that can still be cancelled."""
    return Refusal(-2011, "Unknown order sent.") if cancelling else Refusal(-2013, "Order does not exist.")
