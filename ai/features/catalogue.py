"""All features by name."""

from collections.abc import Mapping

from ai.features.feature import Feature
from ai.features.indicators import Atr, Bollinger, Ema, Macd, Rsi
from ai.features.levels import DeepLob, DepthScore, Imbalance
from ai.features.news import NewsCount, NewsSentiment
from ai.features.price import RealisedVolatility, Return
from ai.features.time_of_day import TimeOfDay
from ai.features.top_of_book import Microprice, Mid, OrderFlowImbalance, Spread, TopImbalance
from ai.features.volume import RollingVolume, SignedVolume, TradeSign, VwapDeviation

FEATURES: Mapping[str, type[Feature]] = {
    each.name: each
    for each in (
        Mid,
        Microprice,
        Spread,
        TopImbalance,
        OrderFlowImbalance,
        Imbalance,
        DepthScore,
        DeepLob,
        TradeSign,
        SignedVolume,
        RollingVolume,
        VwapDeviation,
        Return,
        RealisedVolatility,
        Ema,
        Rsi,
        Macd,
        Atr,
        Bollinger,
        TimeOfDay,
        NewsSentiment,
        NewsCount,
    )
}
