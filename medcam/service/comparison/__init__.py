"""Ways to train a classifier, compared on the same films: pooling heads, kinds of supervision."""
