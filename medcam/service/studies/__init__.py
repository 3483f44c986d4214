"""Studies that were annotated, kept for readers: where they lie, how they get there, how they are shown."""
