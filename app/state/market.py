"""One instrument's market as the screen knows it: its tapes, book, depth and bars, fed by frames alone."""

from app.state.bars import BarsState
from app.state.book import BookState
from app.state.depth import DepthHistory
from app.state.tape import QuoteTape, TradeTape
from engine.bars import BarSpec, PriceType
from engine.messages.frames import Market
from engine.messages.instrument import Instrument


class MarketState:
    """Read models of one instrument, for one epoch of its session.

    Attributes
    ----------
    instrument : Instrument
    quotes, trades : QuoteTape, TradeTape
    book : BookState
    depth : DepthHistory
    version : int
        Number of frames that brought anything.
    session : object
        What tells markets of one session, whichever their epoch, from those of another.
    """

    def __init__(self, instrument: Instrument, session: object = None) -> None:
        self.instrument = instrument
        self.session = session
        self.quotes = QuoteTape()
        self.trades = TradeTape()
        self.book = BookState(instrument)
        self.depth = DepthHistory()
        self.version = 0
        self._bars: dict[BarSpec, BarsState] = {}

    @property
    def now(self) -> int:
        """Time of the newest quote, trade or depth column, ns UTC; 0 before the first."""
        return max(
            (int(part.times[-1]) for part in (self.quotes, self.trades, self.depth) if len(part)), default=0
        )

    def apply(self, market: Market) -> None:
        """Take one frame's news of this instrument."""
        self.quotes.append(market.quotes, market.quotes_conflated)
        self.trades.append(market.trades, market.trades_conflated)
        self.depth.append(market.depth)
        self.book.apply(market)
        self.version += 1

    def bars(self, spec: str) -> BarsState:
        """Bars of this spec, built on first demand and up to date with the tape (see `BarsState.behind`).

        Raises
        ------
        UserError
            `spec` is not `STEP-AGGREGATION-PRICE`.
        """
        parsed = BarSpec.parse(spec)
        bars = self._bars.get(parsed)
        if bars is None:
            tape = self.trades if parsed.price_type == PriceType.LAST else self.quotes
            bars = self._bars[parsed] = BarsState(
                parsed,
                tape,
                price_precision=self.instrument.price_precision,
                size_precision=self.instrument.size_precision,
            )
        bars.update()
        return bars
