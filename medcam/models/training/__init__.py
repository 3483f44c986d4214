"""Training of GAP classifiers from image-level labels."""
