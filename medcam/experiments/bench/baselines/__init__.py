"""Plain scripts that do with other libraries what `medcam annotate` does, each as its libraries' documentation shows.

They are run as programs, `python -m medcam.experiments.bench.baselines.NAME FOLDER OUT WEIGHTS`, and import nothing of
this package: a reader can judge each from its one file.
"""
