"""Lung opacity on real films: data, planted opacities, features, training from image-level labels, figures."""
