"""Fuzzy search: letters in order, better the fewer gaps there are and the more words they begin."""

from typing import Final

_WORD_START: Final = 8
_TEXT_START: Final = 4
_ADJACENT: Final = 5
_GAP: Final = -1
_WIDEST_GAP: Final = 8
_NOWHERE: Final = -(10**9)


def match_score(query: str, text: str) -> int | None:
    """How well `query` matches `text`, higher is better; None where its letters do not occur in order.

    Case and blanks in the query do not count; an empty query matches everything with 0. Of all ways to match,
    the best one counts.
    """
    letters = [letter for letter in query.casefold() if not letter.isspace()]
    folded = text.casefold()
    if not letters:
        return 0
    # best[j]: highest score of a match of the letters so far that ends at place j of the text.
    best = [_place_score(folded, j) if folded[j] == letters[0] else _NOWHERE for j in range(len(folded))]
    for letter in letters[1:]:
        best = [
            max((best[k] + _step_score(k, j) for k in range(j)), default=_NOWHERE) + _place_score(folded, j)
            if folded[j] == letter
            else _NOWHERE
            for j in range(len(folded))
        ]
    score = max(best, default=_NOWHERE)
    # Of equal matches the shorter text is the better one.
    return score - len(folded) // 8 if score > _NOWHERE // 2 else None


def _place_score(text: str, place: int) -> int:
    if place == 0:
        return _WORD_START + _TEXT_START
    return _WORD_START if not text[place - 1].isalnum() else 0


def _step_score(before: int, place: int) -> int:
    return _ADJACENT if place == before + 1 else _GAP * min(place - before, _WIDEST_GAP)
