"""Use cases that look at a model over a whole cohort: where its evidence lies, which units carry it, why it errs."""
