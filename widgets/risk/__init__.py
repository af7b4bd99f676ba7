"""What is at stake now, per instrument."""

from widgets.risk.panel import RiskPanel

__all__ = ["RiskPanel"]
