"""A load test of the HTTP API."""
