"""`medcam annotate --ray`: the same run on the machines of a Ray cluster, in folders or object storage.

The driver finds the inputs, decides which are admitted and keeps the record. Worker processes, each with the model
loaded once, read, explain and write films by themselves: only names, digests and outcomes travel through Ray.
"""
