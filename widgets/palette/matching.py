"""Fuzzy search: letters in order, better the fewer gaps there are and the more words they begin."""

from typing import Final

_WORD_START: Final = 8
_ADJACENT: Final = 5
_FIRST: Final = 4
_GAP: Final = -1


def match_score(query: str, text: str) -> int | None:
    """How well `query` matches `text`, higher is better; None where its letters do not occur in order.

    Case and blanks in the query do not count; an empty query matches everything with 0.
    """
    letters = [letter for letter in query.casefold() if not letter.isspace()]
    if not letters:
        return 0
    folded = text.casefold()
    starts = [i for i in range(len(folded)) if folded[i] == letters[0]]
    scores = [score for start in starts if (score := _score_from(letters, folded, start)) is not None]
    return max(scores, default=None)


def _score_from(letters: list[str], text: str, start: int) -> int | None:
    score, last, position = 0, -1, start
    for letter in letters:
        position = _next_place(letter, text, position)
        if position < 0:
            return None
        starts_word = position == 0 or not text[position - 1].isalnum()
        if last >= 0 and position == last + 1:
            score += _ADJACENT
        elif last >= 0:
            score += _GAP * min(position - last, 8)
        score += _WORD_START if starts_word else 0
        score += _FIRST if position == 0 else 0
        last = position
        position += 1
    return score - len(text) // 8


def _next_place(letter: str, text: str, start: int) -> int:
    """Where the letter comes next: at once, else at the next word that begins with it, else anywhere."""
    first = text.find(letter, start)
    if first in (start, -1):
        return first
    at = first
    while at >= 0:
        if not text[at - 1].isalnum():
            return at
        at = text.find(letter, at + 1)
    return first
