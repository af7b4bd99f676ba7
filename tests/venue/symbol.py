"""One symbol's rules: what its prices and sizes may be, and how they are written.

Inside the venue prices and sizes are whole numbers of the last decimal, as in `engine.columns`; at its edge
they are texts, and money is `Decimal`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from engine.messages.instrument import Instrument
from tests.venue.refusal import Refusal, missing

type Params = Mapping[str, str]

BUY, SELL = 0, 1
SIDES = ("BUY", "SELL")
SIGN = (1, -1)
AWAY = (-1, 1)
"""Direction in which a side's prices get worse for those who trade against it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """Filters and fees of one perpetual; sizes and steps are scaled by the two precisions."""

    name: str
    base: str
    quote: str
    price_precision: int
    size_precision: int
    tick: int
    lot: int
    max_size: int
    min_notional: Decimal = Decimal(5)
    price_band: Decimal = Decimal("0.05")
    maker_fee: Decimal = Decimal("0.0002")
    taker_fee: Decimal = Decimal("0.0005")
    maintenance: Decimal = Decimal("0.004")

    @classmethod
    def of(cls, instrument: Instrument) -> "Symbol":
        """The rules of a stored, recorded or generated instrument."""
        lot = int(instrument.lot_size.scaleb(instrument.size_precision))
        fees = {}
        if instrument.taker_fee:
            fees = {"maker_fee": instrument.maker_fee, "taker_fee": instrument.taker_fee}
        return cls(
            name=instrument.symbol.removesuffix("-PERP"),
            base=instrument.base,
            quote=instrument.quote,
            price_precision=instrument.price_precision,
            size_precision=instrument.size_precision,
            tick=int(instrument.tick_size.scaleb(instrument.price_precision)),
            lot=lot,
            max_size=lot * 1_000_000,
            **fees,
        )

    def price_text(self, price: int) -> str:
        """A scaled price as the venue writes it."""
        return f"{Decimal(price).scaleb(-self.price_precision):.{self.price_precision}f}"

    def size_text(self, size: int) -> str:
        """A scaled size as the venue writes it."""
        return f"{Decimal(size).scaleb(-self.size_precision):.{self.size_precision}f}"

    def price_value(self, price: int) -> Decimal:
        """A scaled price as a number."""
        return Decimal(price).scaleb(-self.price_precision)

    def size_value(self, size: int) -> Decimal:
        """A scaled size as a number."""
        return Decimal(size).scaleb(-self.size_precision)

    def notional(self, price: int, size: int) -> Decimal:
        """Exact value of so many at such a price."""
        return Decimal(price * size).scaleb(-self.price_precision - self.size_precision)

    def price(self, text: str, name: str = "price") -> int:
        """Scaled price of a request; refuses what lies off the grid."""
        scaled = _scaled(text, self.price_precision, name)
        if scaled <= 0:
            raise Refusal(-4001, "Price less than 0.") if scaled else missing(name)
        if scaled % self.tick:
            raise Refusal(-4014, "Price not increased by tick size.")
        return scaled

    def size(self, text: str) -> int:
        """Scaled size of a request; refuses what lies off the grid or beyond the limits."""
        scaled = _scaled(text, self.size_precision, "quantity")
        if scaled <= 0:
            raise Refusal(-4003, "Quantity less than or equal to zero.")
        if scaled % self.lot:
            raise Refusal(-4023, "Qty not increased by step size.")
        if scaled > self.max_size:
            raise Refusal(-4005, "Quantity greater than max quantity.")
        return scaled

    def check_band(self, side: int, price: int, mark: int) -> None:
        """Refuse a limit price too far through the mark price."""
        high = int(mark * (1 + self.price_band))
        low = int(mark * (1 - self.price_band))
        if side == BUY and price > high:
            raise Refusal(-4016, f"Limit price can't be higher than {self.price_text(high)}.")
        if side == SELL and price < low:
            raise Refusal(-4024, f"Limit price can't be lower than {self.price_text(low)}.")

    def check_notional(self, price: int, size: int) -> None:
        """Refuse an order that is worth too little."""
        if self.notional(price, size) < self.min_notional:
            raise Refusal(
                -4164,
                f"Order's notional must be no smaller than {self.min_notional.normalize():f} "
                "(unless you choose reduce only).",
            )

    def info(self) -> dict[str, object]:
        """The symbol's entry in `exchangeInfo`."""
        tick, lot = self.price_text(self.tick), self.size_text(self.lot)
        sizes = {"minQty": lot, "maxQty": self.size_text(self.max_size), "stepSize": lot}
        return {
            "symbol": self.name,
            "pair": self.name,
            "contractType": "PERPETUAL",
            "deliveryDate": 4133404800000,
            "onboardDate": 1569398400000,
            "status": "TRADING",
            "maintMarginPercent": "2.5000",
            "requiredMarginPercent": "5.0000",
            "baseAsset": self.base,
            "quoteAsset": self.quote,
            "marginAsset": self.quote,
            "pricePrecision": self.price_precision,
            "quantityPrecision": self.size_precision,
            "baseAssetPrecision": 8,
            "quotePrecision": 8,
            "underlyingType": "COIN",
            "underlyingSubType": ["PoW"],
            "settlePlan": 0,
            "triggerProtect": "0.0500",
            "liquidationFee": "0.012500",
            "marketTakeBound": "0.05",
            "orderTypes": [
                "LIMIT",
                "MARKET",
                "STOP",
                "STOP_MARKET",
                "TAKE_PROFIT",
                "TAKE_PROFIT_MARKET",
                "TRAILING_STOP_MARKET",
            ],
            "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
            "filters": [
                {
                    "filterType": "PRICE_FILTER",
                    "minPrice": tick,
                    "maxPrice": self.price_text(self.tick * 10**9),
                    "tickSize": tick,
                },
                {"filterType": "LOT_SIZE", **sizes},
                {"filterType": "MARKET_LOT_SIZE", **sizes},
                {"filterType": "MAX_NUM_ORDERS", "limit": 200},
                {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
                {"filterType": "MIN_NOTIONAL", "notional": f"{self.min_notional.normalize():f}"},
                {
                    "filterType": "PERCENT_PRICE",
                    "multiplierUp": f"{1 + self.price_band:.4f}",
                    "multiplierDown": f"{1 - self.price_band:.4f}",
                    "multiplierDecimal": "4",
                },
            ],
        }


def number(text: str, name: str) -> Decimal:
    """A request's number."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise missing(name) from None
    if not value.is_finite():
        raise missing(name)
    return value


def read_side(params: Params) -> int:
    """Side of a request."""
    if params.get("side") not in SIDES:
        raise Refusal(-1117, "Invalid side.") if params.get("side") else missing("side")
    return SIDES.index(params["side"])


def read_position_side(params: Params) -> str:
    """Position side of a request; the venue knows one-way mode only."""
    side = params.get("positionSide", "BOTH")
    if side != "BOTH":
        raise Refusal(-4061, "Order's position side does not match user's setting.")
    return side


def _scaled(text: str, precision: int, name: str) -> int:
    scaled = number(text, name).scaleb(precision)
    if scaled != int(scaled):
        raise Refusal(-1111, "Precision is over the maximum defined for this asset.")
    return int(scaled)
