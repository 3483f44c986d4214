"""Pictures for readers: film, map, outlines and the numbers beside them."""
