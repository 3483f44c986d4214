"""A small page around the film viewer, with films whose every pixel is known."""
