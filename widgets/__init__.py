"""Views: state in, intents out. No engine, no files, no asyncio."""
