"""A vendor that files can be downloaded from: its names, its kinds, its plan and its key."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from engine.downloads.answer import Transport
from engine.downloads.plan import Order, RemoteFile
from engine.downloads.settings import DownloadSettings
from engine.errors import UserError, unknown_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One vendor.

    Attributes
    ----------
    name : str
        On the command line, in the settings, and of its profile in the keyring.
    kinds : tuple of str
        In the vendor's own words; the first is the default.
    plan : callable
        Takes the order (with a kind), the base URL and the present time; answers the files in order of time.
        Raises UserError where the order cannot be filled.
    new_transport : callable
        Makes what asks; called only where something must be asked.
    authorization : callable or None
        Header that carries a key; None where the vendor is free.
    free : callable
        Whether an order needs no key although the vendor has keys.
    free_hint : str
        What needs no key, to be told with the wish for one.
    """

    name: str
    title: str
    kinds: tuple[str, ...]
    plan: Callable[[Order, str, datetime], list[RemoteFile]]
    new_transport: Callable[[DownloadSettings], Transport]
    authorization: Callable[[str], Mapping[str, str]] | None = None
    free: Callable[[Order], bool] = lambda _order: False
    free_hint: str = ""

    def completed(self, order: Order, now: datetime) -> Order:
        """`order` with a kind of this source and days that have begun and are in order.

        Raises
        ------
        UserError
            There is no such kind, or no such days.
        """
        if order.last < order.first:
            raise UserError(f"The days are reversed: {order.first} is after {order.last}; exchange the two.")
        if order.last > (today := now.astimezone(UTC).date()):
            raise UserError(f"{order.last} is still to come; end at {today} or earlier.")
        kind = order.kind or self.kinds[0]
        if kind not in self.kinds:
            raise unknown_name(f"kind of {self.title}", kind, self.kinds)
        return msgspec.structs.replace(order, kind=kind)
