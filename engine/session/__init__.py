"""What runs inside the engine process: the replay session and its headless form, the back-test."""
