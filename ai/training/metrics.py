"""How good predictions are, out of sample; one record of plain numbers for a passport and a table."""

import numpy as np

from ai.training.stretches import Float64, Int64

type Metrics = dict[str, float]

_CALIBRATION_BINS = 15
_LEAST = 1e-12


def confusion(y: Int64, predicted: Int64, classes: int) -> Int64:
    """Counts `[classes, classes]`: true class by row, predicted class by column."""
    return np.bincount(y * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def classification_metrics(p: Float64, y: Int64, class_names: tuple[str, ...]) -> Metrics:
    """Judge probabilities.

    Parameters
    ----------
    p : float64 array `[n, classes]`
    y : int64 array `[n]`
    class_names : tuple of str

    Returns
    -------
    dict
        `accuracy`, `balanced_accuracy` (mean recall of the classes that occur), `log_loss` (nats),
        `brier` (summed over classes, 0 to 2), `mcc` (Gorodkin 2004, "Comparing two K-category assignments
        by a K-category correlation coefficient"), `ece` (Guo et al. 2017, 15 bins of the top class'
        probability), `precision_<class>`, `recall_<class>`, `n`. A precision of a class that was never
        told is left out, and so is a recall of one that never came.
    """
    told = p.argmax(axis=1)
    counts = confusion(y, told, p.shape[1])
    came, said, right = counts.sum(axis=1), counts.sum(axis=0), counts.diagonal()
    recall = {name: r / c for name, r, c in zip(class_names, right, came, strict=True) if c}
    precision = {name: r / s for name, r, s in zip(class_names, right, said, strict=True) if s}
    made: Metrics = {
        "accuracy": float((told == y).mean()),
        "balanced_accuracy": float(np.mean(list(recall.values()))),
        "log_loss": log_loss(p, y),
        "brier": float(((p - np.eye(p.shape[1])[y]) ** 2).sum(axis=1).mean()),
        "mcc": _mcc(counts),
        "ece": calibration_error(p, y),
    }
    made |= {f"precision_{name}": float(value) for name, value in precision.items()}
    made |= {f"recall_{name}": float(value) for name, value in recall.items()}
    return made | {"n": float(len(y))}


def log_loss(p: Float64, y: Int64) -> float:
    """Mean negative log probability of what came, in nats."""
    return float(-np.log(np.maximum(p[np.arange(len(y)), y], _LEAST)).mean())


def calibration_error(p: Float64, y: Int64) -> float:
    """Mean distance between how sure the top class was and how often it came, weighted by bin."""
    sure, right = p.max(axis=1), p.argmax(axis=1) == y
    bins = np.minimum((sure * _CALIBRATION_BINS).astype(np.int64), _CALIBRATION_BINS - 1)
    gap = np.bincount(bins, weights=sure - right, minlength=_CALIBRATION_BINS)
    return float(np.abs(gap).sum() / len(y))


def _mcc(counts: Int64) -> float:
    came, said = counts.sum(axis=1).astype(float), counts.sum(axis=0).astype(float)
    total, right = float(counts.sum()), float(counts.trace())
    spread = (total**2 - (said**2).sum()) * (total**2 - (came**2).sum())
    return float((right * total - came @ said) / np.sqrt(spread)) if spread > 0 else 0.0


def regression_metrics(predicted: Float64, y: Float64, mean: float) -> Metrics:
    """Judge predicted moves.

    Parameters
    ----------
    predicted, y : float64 arrays `[n]`, basis points
    mean : float
        Mean of the training part, which `r2` is measured against: what is known without a model.

    Returns
    -------
    dict
        `r2`, `ic` (Pearson correlation, 0 where either side never changes), `sign_accuracy` (of the moves
        that are not 0; a prediction of 0 is wrong), `mae` (basis points), `n`.
    """
    error = ((y - predicted) ** 2).sum()
    without = ((y - mean) ** 2).sum()
    changes = np.ptp(predicted) > 0 and np.ptp(y) > 0
    moved = y != 0
    return {
        "r2": float(1.0 - error / without) if without > 0 else 0.0,
        "ic": float(np.corrcoef(predicted, y)[0, 1]) if changes else 0.0,
        "sign_accuracy": float((np.sign(predicted[moved]) == np.sign(y[moved])).mean())
        if moved.any()
        else 0.0,
        "mae": float(np.abs(y - predicted).mean()),
        "n": float(len(y)),
    }
