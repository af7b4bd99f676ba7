"""Main window, docks and layouts, actions and keys, dialogs."""
