"""From what a model says to what a strategy does: decisions, their sizes, and the models' side of both.

Pure rules; no engine, no model. `ai` is never imported: `app.engine_main` hands in what stands behind the
protocols.
"""
