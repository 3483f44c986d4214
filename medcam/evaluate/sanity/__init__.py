"""Does a map hang on what the model has learnt, and on nothing else?"""
