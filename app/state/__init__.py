"""Qt-free read models rebuilt from frames: a disposable copy of the session for the widgets to paint."""
