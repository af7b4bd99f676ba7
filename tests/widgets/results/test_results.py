"""Results of a finished run: what is there is shown, what is not defined says why, nothing is invented."""

from dataclasses import dataclass

import msgspec
import numpy as np
import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from app.paths import RESOURCES
from engine.link.builders import results
from engine.messages.columns import EQUITY, Rows
from engine.messages.events import Results
from widgets.curve import reduced
from widgets.results import ResultsPanel
from widgets.results.figures import Headline, headlines, statistic_text
from widgets.theme import load_themes

THEMES = load_themes((RESOURCES / "themes.toml").read_bytes())
HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def same(text: str) -> str:
    return text


def curve(*values: float) -> Rows:
    rows = np.empty(len(values), EQUITY)
    rows["ts"] = np.arange(len(values)) * 1_000_000_000
    rows["equity"] = values
    rows["drawdown"] = rows["equity"] - np.maximum.accumulate(rows["equity"])
    return rows


def run() -> Results:
    return results(
        curve(1000.0, 1100.0, 990.0, 1050.0),
        ticks=1000,
        seconds=2.0,
        orders=3,
        fills=2,
        final_balance="1050.00 USD",
        stats={"Win Rate": 0.5, "Profit Factor": None, "Sharpe Ratio (252 days)": None, "PnL (total)": 50.0},
        fills_sha256=HASH,
    )


@dataclass
class FakeSession:
    results: Results | None = None


def by_label(figures: list[Headline]) -> dict[str, Headline]:
    return {figure.label: figure for figure in figures}


def test_headlines_come_from_the_run_alone() -> None:
    shown = by_label(headlines(run(), same))
    assert shown["Final balance"].text == "1,050.00 USD"
    assert (shown["Net P&L"].text, shown["Net P&L"].tone) == ("+50.00 USD", "bid")
    assert shown["Return"].text == "+5.000 %"
    assert (shown["Max drawdown"].text, shown["Max drawdown"].why) == ("−110.00 USD", "−10.000 %")
    assert shown["Win Rate"].text == "50.00 %"
    assert "Sortino Ratio (252 days)" not in shown


def test_net_profit_is_the_run_s_own_exact_one_and_says_what_is_still_open() -> None:
    told = msgspec.structs.replace(
        run(),
        starting_balance="1000.00 USD",
        net_pnl="47.03 USD",
        open_position="-2500 EUR",
        unrealised_pnl="-2.97 USD",
    )
    shown = by_label(headlines(told, same))
    assert shown["Net P&L"] == Headline("Net P&L", "+47.03 USD", "bid", "with open profit")
    assert shown["Return"].text == "+4.703 %"
    assert shown["Still open"] == Headline("Still open", "−2,500 EUR", "text", "open profit −2.97 USD")
    assert "Still open" not in by_label(headlines(run(), same))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (10, "annualised from 10 s of data"),
        (600, "annualised from 10 min of data"),
        (5 * 86_400, "annualised from 5 days of data"),
        (40 * 86_400, ""),
    ],
)
def test_a_yearly_figure_of_a_short_run_says_how_short(seconds: int, expected: str) -> None:
    rows = curve(1000.0, 1001.0)
    rows["ts"] = 0, seconds * 1_000_000_000
    short = msgspec.structs.replace(
        run(), equity=rows, stats={"Sharpe Ratio (252 days)": 31.4, "Win Rate": 1.0}
    )
    shown = by_label(headlines(short, same))
    assert shown["Sharpe Ratio (252 days)"].why == expected
    assert shown["Win Rate"].why == ""


def test_labels_of_both_curves_never_touch(panel: ResultsPanel) -> None:
    for height in (120, 180, 300):
        panel.curves.resize(420, height)
        panel.curves.set_rows(curve(1000.0, 998.0, 999.0, 998.0), 2)
        upper, lower = panel.curves._scales()
        lowest, zero = upper.y(np.array([998.0]))[0], lower.y(np.array([0.0]))[0]
        assert zero - lowest >= 14


def test_what_is_not_defined_says_so_and_why() -> None:
    shown = by_label(headlines(run(), same))
    assert shown["Profit Factor"] == Headline(
        "Profit Factor", "not defined", "quiet", "too few closed positions"
    )
    assert shown["Sharpe Ratio (252 days)"].why == "too few daily returns"


def test_without_a_curve_there_is_no_profit_to_tell() -> None:
    shown = by_label(headlines(results(), same))
    assert "Net P&L" not in shown
    assert "Max drawdown" not in shown


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("Win Rate", 0.5, "50.00 %"),
        ("PnL (total)", -12345.678, "−12,345.68"),
        ("Expectancy", 0.12345, "0.1235"),
        ("Sharpe Ratio (252 days)", float("nan"), "not defined"),
        ("Profit Factor", float("inf"), "∞"),
        ("Started", "today", "today"),
    ],
)
def test_statistics_read_as_numbers(name: str, value: float | str | None, text: str) -> None:
    assert statistic_text(name, value, same) == text


@pytest.fixture(params=list(THEMES))
def panel(request: pytest.FixtureRequest, qtbot: QtBot) -> ResultsPanel:
    made = ResultsPanel(THEMES[request.param])
    qtbot.addWidget(made)
    made.resize(800, 300)
    return made


def test_the_panel_waits_shows_and_forgets(panel: ResultsPanel) -> None:
    session = FakeSession()
    panel.bind(session)
    waiting = panel.grab().toImage()
    session.results = run()
    panel.refresh()
    assert [row[0] for row in panel.statistics.model.rows()] == list(run().stats)
    shown = panel.grab().toImage()
    assert shown != waiting
    session.results = None
    panel.refresh()
    assert panel.grab().toImage() == waiting


def test_the_whole_hash_is_copied(panel: ResultsPanel) -> None:
    panel.bind(FakeSession(run()))
    assert HASH not in panel._hash.text()
    assert HASH[:12] in panel._hash.text()
    panel.copy_hash()
    assert QGuiApplication.clipboard().text() == HASH


def test_exports_are_exact(qtbot: QtBot, panel: ResultsPanel) -> None:
    panel.bind(FakeSession(run()))
    asked: list[tuple[str, str]] = []
    panel.export_asked.connect(lambda name, text: asked.append((name, text)))
    panel.export_json()
    panel.export_statistics()
    panel.export_equity()
    texts = dict(asked)
    assert msgspec.json.decode(texts["results.json"]) == run().summary()
    assert texts["statistics.csv"].splitlines()[:3] == ["name,value", "Win Rate,0.5", "Profit Factor,"]
    assert texts["equity.csv"].splitlines()[2] == "1000000000,1100.0,0.0"


def test_the_pointer_reads_the_curve_and_nothing_beside_it(panel: ResultsPanel) -> None:
    panel.bind(FakeSession(run()))
    panel.grab()
    curves = panel.curves
    last = curves.reading_at(curves.width() - 5.0)
    assert last is not None
    assert last["equity"] in {990.0, 1050.0}
    assert curves.reading_at(1.0) is None


def test_a_reduced_curve_keeps_its_ends_and_extremes() -> None:
    rng = np.random.default_rng(2)
    times = np.sort(rng.integers(0, 10**12, 50_000))
    values = np.cumsum(rng.normal(size=50_000))
    kept_times, kept = reduced(times, values, 200)
    assert len(kept) <= 800
    assert (np.diff(kept_times) >= 0).all()
    assert (kept[0], kept[-1]) == (values[0], values[-1])
    assert (kept.min(), kept.max()) == (values.min(), values.max())
    few = reduced(times[:10], values[:10], 200)
    assert few[1].tolist() == values[:10].tolist()
