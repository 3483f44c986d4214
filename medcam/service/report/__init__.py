"""The audit report: one file for a governance meeting, from what a record of decisions and its truth hold."""
