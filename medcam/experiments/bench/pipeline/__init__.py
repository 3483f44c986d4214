"""How fast `medcam annotate` is beside its model, beside the cost of its own stages, and as files grow in number."""
