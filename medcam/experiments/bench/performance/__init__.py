"""`medcam bench`: what medcam costs beside its peers, and the page that tells it."""
