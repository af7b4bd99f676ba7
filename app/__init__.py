"""The running program: entry points, composition, session control, settings, secrets."""
