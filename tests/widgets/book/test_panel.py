"""The ladder on the screen: colours where the book is, flashes that end, scrolling, empty states."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.paths import RESOURCES
from app.state.book import BookState
from app.state.orders import OrdersState
from app.state.queue import QueueState
from engine.link.builders import EURUSD, market, order
from engine.messages.instrument import Instrument
from widgets.book import LadderPanel
from widgets.book.paint import Brushes
from widgets.theme import Theme, load_themes

type Sides = dict[str, list[tuple[float, float]]]
type Trade = tuple[int, float, float, int]
type Rgb = tuple[int, int, int]

THEMES = load_themes((RESOURCES / "themes.toml").read_bytes())


@dataclass
class OneMarket:
    instrument: Instrument = EURUSD
    book: BookState = field(default_factory=lambda: BookState(EURUSD))


@dataclass
class OneSession:
    markets: Mapping[str, OneMarket] = field(default_factory=lambda: {EURUSD.id: OneMarket()})
    orders: OrdersState = field(default_factory=OrdersState)
    queues: QueueState = field(default_factory=QueueState)

    @property
    def book(self) -> BookState:
        return self.markets[EURUSD.id].book


def levels(bid: int = 100_000, spread: int = 2, size: float = 50.0) -> Sides:
    return {
        "bids": [((bid - k) / 1e5, size) for k in range(25)],
        "asks": [((bid + spread + k) / 1e5, size) for k in range(25)],
    }


def apply(session: OneSession, sides: Sides | None = None, trades: Sequence[Trade] = ()) -> None:
    sides = sides or {"bids": [], "asks": []}
    session.book.apply(market(trades=trades, bids=sides["bids"], asks=sides["asks"]))


@pytest.fixture(params=["dark", "light"])
def theme(request: pytest.FixtureRequest) -> Theme:
    return THEMES[request.param]


@pytest.fixture
def session() -> OneSession:
    made = OneSession()
    apply(made, levels())
    return made


@pytest.fixture
def panel(qtbot: QtBot, theme: Theme, session: OneSession) -> LadderPanel:
    made = LadderPanel(theme)
    qtbot.addWidget(made)
    made.resize(360, 740)
    made.bind(session)
    made.show()
    return made


def pixel(panel: LadderPanel, x: int, price: str, dy: int = 0) -> QColor:
    places = panel.price_rows()
    assert places is not None
    row = int((places.top - Decimal(price)) / places.step)
    assert 0 <= row < places.count
    image = panel.grab().toImage()
    return image.pixelColor(x, places.top_px + row * places.row_px + places.row_px // 2 + dy)


def rgb(colour: QColor) -> Rgb:
    return colour.red(), colour.green(), colour.blue()


def mixed(over: QColor, below: QColor, alpha: float) -> QColor:
    mix = [round(a * alpha + b * (1 - alpha)) for a, b in zip(rgb(over), rgb(below), strict=True)]
    return QColor(*mix)


def near(colour: QColor, wanted: QColor) -> bool:
    return all(abs(a - b) <= 3 for a, b in zip(rgb(colour), rgb(wanted), strict=True))


def test_bars_have_the_colour_of_their_side(panel: LadderPanel, theme: Theme) -> None:
    layout = panel.view.layout_now
    bar_bid, bar_ask = layout.bid.left + 4, layout.ask.left + 3
    below = theme.colour("panel")
    assert near(pixel(panel, bar_bid, "0.99990"), mixed(theme.colour("bid"), below, 0.26))
    assert near(pixel(panel, bar_ask, "1.00012"), mixed(theme.colour("ask"), below, 0.26))
    assert near(pixel(panel, bar_ask, "0.99990"), below)


def luminance(colour: QColor) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [value / 255 for value in rgb(colour)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: QColor, other: QColor) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colour_blind", [False, True])
@pytest.mark.parametrize("name", ["dark", "light"])
def test_digits_can_be_read_on_every_bar(name: str, colour_blind: bool) -> None:
    toml = (RESOURCES / "themes.toml").read_bytes()
    brushes = Brushes(load_themes(toml, colour_blind=colour_blind)[name])
    for hovered in (False, True):
        ground = mixed(brushes.hover, brushes.panel, brushes.hover.alphaF()) if hovered else brushes.panel
        for bar in (*brushes.bars, *brushes.best_bars, *brushes.profile, *brushes.best_washes):
            assert contrast(brushes.text, mixed(bar, ground, bar.alphaF())) >= 4.5


def test_twenty_levels_a_side_are_in_view_tick_by_tick(panel: LadderPanel) -> None:
    shown = panel.view.shown
    assert shown is not None
    assert shown.grid.group == 1
    assert sum(row.bid > 0 for row in shown.rows) >= 20
    assert sum(row.ask > 0 for row in shown.rows) >= 20


def test_a_changed_size_flashes_and_the_flash_ends(
    qtbot: QtBot, panel: LadderPanel, session: OneSession, theme: Theme
) -> None:
    spot = panel.view.layout_now.bid.left + 1
    calm = pixel(panel, spot, "0.99990")
    sides = levels()
    sides["bids"][10] = (sides["bids"][10][0], 20.0)
    apply(session, sides)
    panel.refresh()
    flashing = pixel(panel, spot, "0.99990")
    assert near(flashing, mixed(theme.colour("bid"), theme.colour("panel"), 0.26))
    qtbot.waitUntil(lambda: pixel(panel, spot, "0.99990") != flashing, timeout=1000)
    qtbot.waitUntil(lambda: not panel.view._flash_end.isActive(), timeout=1000)
    assert near(pixel(panel, spot, "0.99990"), theme.colour("panel"))
    assert calm != flashing


def test_nothing_flashes_where_everything_changes(panel: LadderPanel, session: OneSession) -> None:
    before = panel.view.grab().toImage()
    apply(session, levels(size=49.0))
    panel.refresh()
    spot = panel.view.layout_now.bid.left + 30
    after = panel.view.grab().toImage()
    y = panel.view.layout_now.row_top(35) + 1
    assert after.pixelColor(spot, y) == before.pixelColor(spot, y)


def test_own_orders_stand_at_their_price(panel: LadderPanel, session: OneSession, theme: Theme) -> None:
    session.orders.apply(
        [order("a", price=Decimal("0.99995")), order("b", side="SELL", price=Decimal("1.00005"))]
    )
    panel.refresh()
    layout = panel.view.layout_now
    assert pixel(panel, layout.own_bid.left + 3, "0.99995") == theme.colour("bid")
    assert pixel(panel, layout.own_ask.left + 3, "1.00005") == theme.colour("ask")
    session.orders.apply([order("a", "CANCELED", price=Decimal("0.99995"))])
    panel.refresh()
    assert pixel(panel, layout.own_bid.left + 3, "0.99995") == theme.colour("panel")


def test_the_last_trade_marks_its_price_in_its_sides_colour(
    panel: LadderPanel, session: OneSession, theme: Theme
) -> None:
    apply(session, trades=[(1, 1.00002, 3.0, 1)])
    panel.refresh()
    spot = panel.view.layout_now.price.left + 2
    assert pixel(panel, spot, "1.00002") == theme.colour("bid")
    apply(session, trades=[(2, 1.0, 3.0, 2)])
    panel.refresh()
    assert pixel(panel, spot, "1.00000") == theme.colour("ask")
    assert pixel(panel, spot, "1.00002") != theme.colour("bid")


def wheel(panel: LadderPanel, notches: int) -> None:
    event = QWheelEvent(
        QPointF(50, 200),
        QPointF(panel.view.mapToGlobal(QPoint(50, 200))),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(panel.view, event)


def test_scrolling_stops_the_view_and_back_to_now_returns_it(panel: LadderPanel, session: OneSession) -> None:
    button = panel._now
    assert button.isHidden()
    wheel(panel, 2)
    held = panel.price_rows()
    assert not button.isHidden()
    apply(session, levels(bid=100_300))
    panel.refresh()
    assert panel.price_rows() == held
    button.click()
    rows = panel.price_rows()
    assert rows is not None
    assert rows.top > Decimal("1.00300")
    assert button.isHidden()


def test_an_unchanged_state_is_not_painted_again(panel: LadderPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    rebuilt: list[None] = []
    monkeypatch.setattr(panel.view, "rebuild", lambda: rebuilt.append(None))
    panel.refresh()
    assert not rebuilt


def test_a_new_epoch_starts_from_nothing(panel: LadderPanel, session: OneSession) -> None:
    session.markets = {EURUSD.id: OneMarket()}
    session.orders = OrdersState()
    panel.refresh()
    assert panel.price_rows() is None
    apply(session, levels(bid=120_000))
    panel.refresh()
    rows = panel.price_rows()
    assert rows is not None
    assert rows.top > Decimal("1.20000")


def test_unbound_it_says_so_in_words_that_differ_from_waiting_for_data(qtbot: QtBot, theme: Theme) -> None:
    unbound, waiting = LadderPanel(theme), LadderPanel(theme)
    for made in (unbound, waiting):
        qtbot.addWidget(made)
        made.resize(300, 400)
    waiting.bind(OneSession())
    assert unbound.price_rows() is None
    assert unbound.view.grab().toImage() != waiting.view.grab().toImage()


def test_grouping_chosen_by_hand_stays(panel: LadderPanel) -> None:
    panel.set_group(10)
    rows = panel.price_rows()
    assert rows is not None
    assert rows.step == Decimal("0.00010")
    panel.set_group(None)
    rows = panel.price_rows()
    assert rows is not None
    assert rows.step == Decimal("0.00001")


@pytest.mark.parametrize("size", [(240, 140), (360, 700), (700, 300)])
def test_any_size_can_be_painted(panel: LadderPanel, size: tuple[int, int]) -> None:
    panel.resize(*size)
    panel.view.set_logarithmic(True)
    assert not panel.grab().isNull()
