"""What the actions and panels do with orders: arm, place, change, cancel, halt and re-arm."""

from decimal import Decimal
from typing import TYPE_CHECKING

from PySide6.QtGui import QKeySequence

from app.windows.arm_switch import why_not
from app.windows.replay_deeds import ReplayDeeds
from app.windows.trading_actions import HOTKEYS
from engine.messages.commands import AnyCommand, Reverse, Submit
from engine.messages.events import HaltStep, OrderChanged
from engine.messages.orders import ENDED, HAND, OrderIntent, Side
from engine.messages.run import ArmState

if TYPE_CHECKING:
    from app.session import StationSession
    from app.state.market import MarketState


class TradingDeeds(ReplayDeeds):
    """Deeds of one window with orders; the engine's gate has the last word on each of them."""

    # Arming

    def set_arm(self, state: str) -> None:
        """Let orders pass, or not, as the switch asks."""
        {"view": self.view_only, "paper": self.arm_paper, "live": self.arm_live}[state]()

    def view_only(self) -> None:
        """Let no order pass."""
        if self._session is not None:
            self._session.arm("view")

    def arm_paper(self) -> None:
        """Let orders pass to the simulated venue."""
        session = self._armable("paper")
        if session is not None:
            session.arm("paper")

    def arm_live(self) -> None:
        """Ask for the account's name; once it is typed, orders pass to the real venue."""
        session = self._armable("live")
        if session is None:
            return
        from app.windows.trading_dialogs import ask_for_live  # noqa: PLC0415 - with the first

        dialog = ask_for_live(session, self._window)
        dialog.confirmed.connect(lambda account: session.arm("live", account))
        dialog.open()

    def _armable(self, state: ArmState) -> "StationSession | None":
        """Session that can be armed so; None where it cannot, which is told."""
        session = self._session
        if reason := why_not(state, session.state.control if session is not None else None):
            self._say(reason)
            return None
        return session

    # Halting

    def kill(self) -> None:
        """Cancel all, block what is new, flatten, and stay halted: at once and unasked."""
        if self._session is None:
            self._say(self.tr("No session runs; there is nothing to halt."))
        elif self._session.down is not None:
            self._warn(
                self.tr(
                    "The engine of this session has ended and can cancel or close nothing; "
                    "look into the account at the venue, then restart the session."
                )
            )
        else:
            self._session.kill(self.tr("the window's kill switch"))

    def open_kill_window(self) -> None:
        """Open the window of a process of its own that halts the session while this one hangs."""
        if not self._station.open_kill_window():
            self._say(self.tr("No session runs; there is nothing to halt."))

    def rearm(self) -> None:
        """Ask for the account's name; once it is typed, the halt is over and orders may be armed again."""
        session = self._session
        if session is None or session.state.control.halt is not HaltStep.HALTED:
            self._say(self.tr("Nothing is halted; re-arming is for after the kill switch."))
            return
        from app.windows.trading_dialogs import ask_to_rearm  # noqa: PLC0415 - with the first

        dialog = ask_to_rearm(session, self._window)
        dialog.confirmed.connect(session.rearm)
        dialog.open()

    # Orders

    def trade(self, command: AnyCommand) -> None:
        """Pass on what a panel asks; where orders are off, say how to turn them on instead."""
        session = self._session
        if session is None:
            self._say(
                self.tr("There is no session to trade in; open a replay (Ctrl+O) or the demo (Ctrl+D).")
            )
        elif not _opens(command) or self._is_armed(session):
            session.send(command)

    def change_order(self, order: OrderChanged) -> None:
        """Ask for another price or quantity of a working order."""
        session = self._session
        market = session.state.markets.get(order.instrument) if session is not None else None
        if session is None or market is None:
            return
        from app.windows.change_order import ChangeOrderDialog  # noqa: PLC0415 - with the first

        dialog = ChangeOrderDialog(order, market.instrument, self._window)
        dialog.confirmed.connect(self.trade)
        dialog.open()

    def buy_market(self) -> None:
        """Buy the keys' size at market."""
        self._place("BUY", at_touch=False)

    def sell_market(self) -> None:
        """Sell the keys' size at market."""
        self._place("SELL", at_touch=False)

    def buy_bid(self) -> None:
        """Buy the keys' size with a limit at the bid."""
        self._place("BUY", at_touch=True)

    def sell_ask(self) -> None:
        """Sell the keys' size with a limit at the ask."""
        self._place("SELL", at_touch=True)

    def cancel_last(self) -> None:
        """Cancel the working order that a person placed last."""
        found = self._armed_market()
        if found is None:
            return
        session, market = found
        orders = session.state.orders
        own = [order for order in orders.working(market.instrument.id) if order.strategy == HAND]
        own = own or [each.order for each in orders.twaps.values() if each.order.status not in ENDED]
        if own:
            session.cancel(own[-1].order_id)
        else:
            self._say(self.tr("No order by hand is at work."))

    def cancel_all(self) -> None:
        """Cancel all orders of the instrument."""
        if (found := self._armed_market()) is not None:
            found[0].cancel_all(found[1].instrument.id)

    def flatten(self) -> None:
        """Cancel all orders of the instrument and close its position."""
        if (found := self._armed_market()) is not None:
            found[0].flatten(found[1].instrument.id)

    def reverse(self) -> None:
        """Turn the instrument's position round."""
        if (found := self._armed_market()) is not None:
            found[0].reverse(found[1].instrument.id)

    def break_even(self) -> None:
        """Move the stop of the instrument's position to where it loses nothing."""
        if (found := self._armed_market()) is not None:
            found[0].break_even(found[1].instrument.id)

    def _place(self, side: Side, *, at_touch: bool) -> None:
        found = self._armed_market()
        if found is None:
            return
        session, market = found
        levels = market.book.bids if side == "BUY" else market.book.asks
        if not len(levels):
            self._say(self.tr("There is no market yet; press play."))
            return
        instrument = market.instrument
        best = Decimal(f"{float(levels['price'][0]):.{instrument.price_precision}f}")
        intent = OrderIntent(
            instrument=instrument.id,
            strategy=HAND,
            side=side,
            type="LIMIT" if at_touch else "MARKET",
            quantity=instrument.lot_size * self._station.settings.settings.hand_lots,
            price=best if at_touch else None,
        )
        session.submit([intent])

    def _armed_market(self) -> "tuple[StationSession, MarketState] | None":
        """Session and market that the keys trade in; None where they are off, which is told."""
        session = self._session
        market = next(iter(session.state.markets.values()), None) if session is not None else None
        if session is None or market is None:
            self._say(
                self.tr("There is no session to trade in; open a replay (Ctrl+O) or the demo (Ctrl+D).")
            )
        elif self._is_armed(session):
            return session, market
        return None

    def _is_armed(self, session: "StationSession") -> bool:
        """Whether orders pass; where not, how to change that is told."""
        control = session.state.control
        if control.halt is not HaltStep.NONE:
            self._say(self.tr("The kill switch has halted this session; re-arm it first."))
        elif control.arm == "view" and control.mode == "live":
            self._say(self.tr("Orders are off (View); arm Live with F12."))
        elif control.arm == "view":
            self._say(self.tr("Orders are off (View); arm Paper with F10."))
        else:
            return True
        return False

    # Keys

    def edit_trading_keys(self) -> None:
        """Show the keys of trading, to be changed."""
        from app.windows.trading_keys import TradingKeysDialog  # noqa: PLC0415 - with the first

        settings = self._station.settings.settings
        names = {act.id for act in HOTKEYS}
        portable = QKeySequence.SequenceFormat.PortableText
        others = {
            key.toString(portable): action.text().replace("&", "")
            for name, action in self._window.actions_.items()
            if name not in names
            for key in action.shortcuts()
        }
        dialog = TradingKeysDialog(settings.trading_keys, settings.hand_lots, others, self._window)
        dialog.chosen.connect(self._on_trading_keys_chosen)
        dialog.open()

    def _on_trading_keys_chosen(self, keys: dict[str, str], lots: int) -> None:
        self._station.set_trading_keys(keys, lots)


def _opens(command: AnyCommand) -> bool:
    """Whether a command can only add to what is held."""
    match command:
        case Submit():
            return not all(intent.reduce_only for intent in command.intents)
        case Reverse():
            return True
        case _:
            return False
