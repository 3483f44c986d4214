"""Shortcuts: does a model read what is no anatomy, and does its score follow how a film was taken?"""
