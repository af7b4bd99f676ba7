"""Every threshold of the checks in one place, with its unit and the reason for its default."""

from dataclasses import dataclass

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What counts as doubtful.

    Attributes
    ----------
    spell_quantile : float
    spell_factor : float
        A silence is a gap, and an unchanged price is stale, from `spell_factor` times the `spell_quantile`
        of the instrument's own spells in that hour of the day. In recorded days of four FX vendors and two
        crypto venues the longest true silence of an hour was at most 4.3 times its 99.9 % quantile.
    spell_sample : int
        Spells that an hour's quantile is taken of; an hour with fewer borrows from the hours around it. A
        quantile of 99.9 % needs a thousand.
    spell_least : int
        With fewer spells than this in all hours nothing is known of what is usual, and only whole sessions
        without a row are found.
    gap_least_ns : int
        No silence shorter than this is a gap: ten seconds are a lost connection even on the busiest venue,
        and less is an ordinary reconnection.
    hole_sessions : int
        A silence that swallows more whole sessions than this was never imported, which is no fault of the
        rows on either side. Five are a trading week: what a vendor or a recorder loses is back within days,
        and who leaves out more keeps single days, weeks or years on purpose.
    stale_least_ns : int
        No price is stale sooner, and a silence of this length ends a stretch: rows have to keep coming.
    stale_rows : int
        Rows that repeat the price in a stale stretch; fewer are a quiet market.
    spike_z : float
        Robust z score of a log return that is no ordinary one. 10 leaves the fat tails of ticks alone, where
        a normal law would say 4.
    spike_return : float
        Log return below which nothing is a spike, whatever its z score: 0.001 is ten basis points. Books
        that are swept and refill within a millisecond, and prints of news, were up to 5.2 bp in recordings.
    spike_rows : int
    spike_ns : int
        A spike comes back within so many price changes and so long; a price that stays is a jump.
    spike_back : float
        Share of the way that coming back has to cover.
    trade_window_ns : int
        A trade is compared with all quotes received so long before and after it: two streams of one venue
        reach a recorder at different times.
    same_time_ns : int
        Slack of a receive time against the one before it.
    volume_tolerance : float
        Share by which a bar's volume may differ from the ticks': vendors keep volumes as 32-bit floats.
    unnumbered_share : float
        Where more than this share of trade ids would be missing, the venue does not count them per
        instrument, and nothing is missing.
    near_ns : int
        Doubtful rows at most so far apart are one finding.
    kept : int
        Findings kept of each check and day, the worst first; the true number is always told beside them.
    """

    spell_quantile: float = 0.999
    spell_factor: float = 10.0
    spell_sample: int = 1_000
    spell_least: int = 20
    gap_least_ns: int = 10 * SECOND_NS
    hole_sessions: int = 5
    stale_least_ns: int = 60 * SECOND_NS
    stale_rows: int = 5
    spike_z: float = 10.0
    spike_return: float = 0.001
    spike_rows: int = 10
    spike_ns: int = 60 * SECOND_NS
    spike_back: float = 0.75
    trade_window_ns: int = SECOND_NS // 4
    same_time_ns: int = 0
    volume_tolerance: float = 0.001
    unnumbered_share: float = 0.5
    near_ns: int = 60 * SECOND_NS
    kept: int = 50
