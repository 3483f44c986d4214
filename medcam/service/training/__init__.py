"""Training sets, training, and what finishes a model."""
