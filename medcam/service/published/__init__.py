"""Models of others brought in and fetched, models of ours handed out."""
