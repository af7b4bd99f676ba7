"""Feature rows of stored data on which the normaliser of a stranger's model is fitted."""

import numpy as np
import numpy.typing as npt

from ai.features import FeatureSet
from ai.loading.fitting import fitted
from ai.loading.mapping import Mapped
from app.feature_tables import market, tables_of
from engine.errors import UserError
from engine.store import Store

FITTED_ROWS = 200_000


def fitted_on(
    mapped: Mapped, features: FeatureSet, store: Store, instrument: str, most: int = FITTED_ROWS
) -> Mapped:
    """Mapping whose normaliser is fitted on the first `most` rows that are stored of an instrument.

    The first, not all: what is replayed after them was not known when the numbers were made.

    Raises
    ------
    UserError
        What the set reads is not stored, or too few rows have all values.
    """
    frame = features.batch(
        tables_of(store, features, {"": instrument}, most), market(store.instrument(instrument))
    ).collect()
    if not frame.height:
        raise UserError(f"Nothing stored of {instrument} gives a row of {features.name}; import more data.")
    rows: npt.NDArray[np.float64] = frame.select(features.outputs).to_numpy()
    return fitted(mapped, rows, frame["ts"].to_numpy())
