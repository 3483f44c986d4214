"""Phantoms on disk, with their truth."""
