"""The order ticket: what is typed, what would come of it, and what became of what was sent."""

from widgets.ticket.panel import TicketPanel

__all__ = ["TicketPanel"]
