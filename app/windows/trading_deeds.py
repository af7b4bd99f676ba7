"""What the actions and panels do with orders: place, change and cancel them."""

from app.windows.replay_deeds import ReplayDeeds
from engine.messages.commands import AnyCommand, Reverse, Submit


class TradingDeeds(ReplayDeeds):
    """Deeds of one window with orders; the engine's gate has the last word on each of them."""

    def trade(self, command: AnyCommand) -> None:
        """Pass on what a panel asks; where orders are off, say how to turn them on instead."""
        if self._session is None:
            self._say(
                self.tr("There is no session to trade in; open a replay (Ctrl+O) or the demo (Ctrl+D).")
            )
        elif self._session.state.control.arm == "view" and _opens(command):
            self._say(self.tr("Orders are off (View); press F10 to arm this session, then place it again."))
        else:
            self._session.send(command)


def _opens(command: AnyCommand) -> bool:
    """Whether a command can only add to what is held."""
    match command:
        case Submit():
            return not all(intent.reduce_only for intent in command.intents)
        case Reverse():
            return True
        case _:
            return False
