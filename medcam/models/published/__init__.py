"""Models that others have published: read without running anything of theirs, turned into model folders, and back."""
