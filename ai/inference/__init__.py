"""From a market to forecasts: a model's inputs row by row or for a whole range, asked alike in both.

`Recipe` says what feeds a model and what its numbers mean, `Ensemble` asks one model or several. `streaming`
(and `threaded`, in the background) and `whole_range` are the two forms that `engine.signals.protocols` speaks
of; `inputs` and `range_inputs` make the same rows for them. `app.models` opens the files.
"""
