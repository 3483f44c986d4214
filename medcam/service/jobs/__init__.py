"""The workers of the one job queue."""
