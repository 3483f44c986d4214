"""Engines: what computes a network's features, at which precision, and how far that may be from torch in fp32."""
