"""Files that somebody hands in to be explained, and that are let go of again unless they ask to keep them."""
