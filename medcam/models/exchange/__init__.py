"""Models in formats that others read, and back again."""
