"""What is doubtful about stored rows: one pure rule per check, the venues' calendars, and a score.

Which module says what counts as what, and from which source:

======================= ==========================================================================
gap, stale              `engine.quality.spells`: silences and standing prices, by the instrument's own hours
crossed, locked         `engine.quality.quotes`
spike                   `engine.quality.spikes`: robust z scores of log returns
duplicate-time,
time-reversed           `engine.quality.times`
sequence-gap            `engine.quality.sequences`: trade ids, and breaks of a book's update numbers
trade-outside-book      `engine.quality.outside`
book-against-quotes     `engine.quality.book`
bars-against-ticks      `engine.quality.bars`
======================= ==========================================================================

`engine.quality.rules` is the table of rules by kind, `engine.quality.limits` every threshold,
`engine.quality.score` the formula of the score, `engine.quality.kept` the results beside the store's files.
"""

from engine.quality.calendars import Calendars
from engine.quality.checking import check
from engine.quality.kept import checked_days, findings, stored_days
from engine.quality.limits import Limits
from engine.quality.results import Checked, CheckedDay, KindScore
from engine.quality.score import Reason

__all__ = [
    "Calendars",
    "Checked",
    "CheckedDay",
    "KindScore",
    "Limits",
    "Reason",
    "check",
    "checked_days",
    "findings",
    "stored_days",
]
