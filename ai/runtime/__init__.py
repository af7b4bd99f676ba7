"""Runs models: onnxruntime and torch behind one `Predictor`, and a process of its own for strangers' files.

Nothing here imports onnxruntime or torch before a model asks for it.
"""
