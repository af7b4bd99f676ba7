"""The one vocabulary: what crosses the link between a session and whoever watches it.

Commands go in, frames come out. All are frozen structs, encoded by `engine.messages.wire`; market data
travels as structured NumPy arrays (`engine.messages.columns`), for painting. Imports nothing of ours.
"""
