"""Lesson 09, cascade ablations: all that belongs to it alone."""
