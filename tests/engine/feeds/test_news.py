"""News and calendars of every form become the same rows, and never earlier than they were published."""

import json
from datetime import UTC, datetime

import pytest

from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import SourceFile
from engine.feeds.news import decode_news
from tests.engine.feeds.files import source_file
from tests.engine.feeds.mutations import mutations, survives

CALENDAR = """date,currency,impact,event,actual,forecast,previous
2019-02-04T13:30:00+00:00,USD,High,Nonfarm payrolls,304K,165K,222K
2019-02-04T15:00:00+00:00,usd,Low,Factory orders,-0.6%,0.3%,-2.1%
"""
HEADLINES = json.dumps(
    {
        "articles": [
            {
                "time_published": "20190204T101500",
                "title": "Bank holds rates",
                "source": {"name": "Wire"},
                "tickers": [{"ticker": "EURUSD"}, {"ticker": "eur"}],
                "sentiment_score": -0.25,
                "url": "http://127.0.0.1/1",
            },
            {"time_published": "20190204T1016", "title": "Quiet day", "sentiment_score": None},
        ]
    }
)
RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>Wire</title>
<item><title>Rates held</title><pubDate>Mon, 04 Feb 2019 11:15:00 +0100</pubDate><link>http://127.0.0.1/1</link>
<category>EUR</category></item></channel></rss>"""
ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Wire</title>
<entry><title>Rates held</title><updated>2019-02-04T10:15:00Z</updated></entry></feed>"""


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


def rows(text: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = decode_news(text.encode(), "x", "news").series["news"].to_pylist()
    return found


def test_a_calendar_is_known_at_its_releases() -> None:
    first, second = rows(CALENDAR)
    assert first["ts_event"] == first["ts_init"] == ns("2019-02-04 13:30:00")
    assert (first["title"], first["subjects"], first["importance"]) == ("Nonfarm payrolls", "USD", 3)
    assert (first["actual"], first["forecast"], first["previous"]) == ("304K", "165K", "222K")
    assert first["is_scheduled"] is True
    assert (second["subjects"], second["importance"], second["sentiment"]) == ("USD", 1, None)


def test_headlines_carry_their_score_and_subjects() -> None:
    first, second = rows(HEADLINES)
    assert first["ts_init"] == ns("2019-02-04 10:15:00")
    assert (first["sentiment"], first["subjects"], first["source"]) == (-0.25, "EURUSD EUR", "Wire")
    assert first["is_scheduled"] is False
    assert (second["ts_init"], second["sentiment"]) == (ns("2019-02-04 10:16:00"), None)


@pytest.mark.parametrize("feed", [RSS, ATOM])
def test_feeds_are_turned_to_utc(feed: str) -> None:
    (row,) = rows(feed)
    assert row["ts_init"] == ns("2019-02-04 10:15:00")
    assert (row["title"], row["source"]) == ("Rates held", "Wire")


def test_a_row_is_never_known_before_its_publication_nor_its_release() -> None:
    table = "time,published,title\n2019-02-04 10:00:00,2019-02-04 10:00:05,late\n"
    (late,) = rows(table)
    assert (late["ts_event"], late["ts_init"]) == (ns("2019-02-04 10:00:00"), ns("2019-02-04 10:00:05"))
    (early,) = rows(table.replace("10:00:05", "09:00:00"))
    assert early["ts_init"] == ns("2019-02-04 10:00:00")


def test_rows_that_cannot_be_taken_are_told() -> None:
    table = (
        "time,title,sentiment,impact\n"
        "2019-02-04 10:00:00,good,0.5,high\n"
        "never,no time,0.5,high\n"
        "2019-02-04 10:00:00,,0.5,high\n"
        "2019-02-04 10:00:00,too glad,1.5,high\n"
        "2019-02-04 10:00:00,odd,nan,vast\n"
    )
    found = decode_news(table.encode(), "x", "news")
    assert found.series["news"].column("title").to_pylist() == ["good"]
    assert [(each.count, each.first_line) for each in found.rejected] == [(1, 3), (1, 4), (1, 6), (1, 5)]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"[1, 2]", "no list of news"),
        (b"{", "damaged or cut off"),
        (b"[]", "no rows"),
        (b"<html></html>", "no whole RSS"),
        (RSS.encode()[:-20], "no whole RSS"),
        (b"when,what\n1,2\n", "no column that is a time"),
        (b"1,2\n3,4\n", "no header line"),
        (b"time,title\nx,y\n", "times"),
    ],
)
def test_what_is_no_news_is_one_sentence(data: bytes, said: str) -> None:
    with pytest.raises(Undecodable, match=said):
        decode_news(data, "x", "news")


@pytest.mark.parametrize("text", [CALENDAR, HEADLINES, RSS])
def test_damaged_files_are_refused_or_told(text: str) -> None:
    def decode(file: SourceFile) -> Decoded:
        return decode_news(file.data, "x", "news")

    for damaged in mutations(text.encode(), 150):
        found = survives(decode, source_file(damaged))
        if found is not None:
            table = found.series["news"]
            assert (table.column("ts_init").to_numpy() >= table.column("ts_event").to_numpy()).all()
