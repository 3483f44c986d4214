"""Files that say where findings are: read into masks, and written again. Standard library and NumPy alone."""
