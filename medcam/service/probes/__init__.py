"""Probes fitted to people's own films: by folders or tables, or by a phrase of the reports."""
