"""The data panel: what is stored and how good it is, what is being fetched, what was found and repaired."""
