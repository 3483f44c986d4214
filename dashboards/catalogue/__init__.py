"""Catalogues of words, one file for each language, all with the same keys."""
