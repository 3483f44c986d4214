"""The load test of the review pages: a full store, the real server, and many readers at once."""
