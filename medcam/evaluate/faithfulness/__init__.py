"""Is a map true to its model? What the score does when the places that the map names are erased."""
