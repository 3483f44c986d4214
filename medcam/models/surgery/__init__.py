"""Giving a foreign network a GAP head: finding its tail, cutting it off, putting a pooling head in its place."""
