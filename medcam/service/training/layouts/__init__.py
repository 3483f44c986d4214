"""Readers of the layouts in which people have their films and labels: one file each, `every.LAYOUTS` lists them."""
