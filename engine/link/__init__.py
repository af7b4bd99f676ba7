"""How a session is hosted and talked to: process, thread, scripted; credits, numbered events, heartbeat."""
