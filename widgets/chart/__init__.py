"""The chart: depth heatmap, prices, trades, fills and volume over one axis of time.

`panel.ChartPanel` is what a window places; `canvas.Canvas` draws and takes the mouse; each layer has a file
of its own that turns what is visible into pixels, at a cost that depends on the canvas, not on the history.
"""
