"""Data sets drawn in code: the same bytes on every machine."""
