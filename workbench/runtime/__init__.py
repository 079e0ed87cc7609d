"""What runs: jobs and their supervisor, the event loop, HTTP, streams, and where models are."""
