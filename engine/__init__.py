"""The trading core: feeds, store, sessions and the link. No Qt, no torch, nothing of the GUI's."""
