"""Reads untrusted files in processes of their own: each file in one that has seen no other, within limits.

`ReaderPool` (in `pool`) is the door. This file imports nothing, so that the processes start quickly.
"""
