"""Lesson 11, where it shows, and where it does not: all that belongs to it alone."""
