"""Figures that the documentation tells, each by a command."""
