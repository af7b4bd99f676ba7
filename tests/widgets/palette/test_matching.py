"""Fuzzy search prefers what a person means."""

from hypothesis import given
from hypothesis import strategies as st

from widgets.palette.matching import match_score


def _best(query: str, *texts: str) -> str:
    scored = [(score, text) for text in texts if (score := match_score(query, text)) is not None]
    return max(scored)[1]


def test_letters_must_occur_in_order() -> None:
    assert match_score("kalp", "Play") is None
    assert match_score("play", "Play or pause") is not None
    assert match_score("", "anything") == 0


def test_beginnings_of_words_win() -> None:
    assert _best("nf", "Next fill", "Confirm") == "Next fill"
    assert _best("st", "Step", "Restart the session", "Jump to start") == "Step"
    assert _best("lo", "Load layout…", "Full colour") == "Load layout…"


@given(st.text("abcdef ghij", min_size=1, max_size=30), st.data())
def test_every_subsequence_of_letters_matches(text: str, data: st.DataObject) -> None:
    letters = [letter for letter in text if not letter.isspace()]
    kept = data.draw(st.lists(st.booleans(), min_size=len(letters), max_size=len(letters)))
    query = "".join(letter for letter, keep in zip(letters, kept, strict=True) if keep)
    assert match_score(query, text) is not None
