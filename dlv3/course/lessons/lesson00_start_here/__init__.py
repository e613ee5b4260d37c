"""Lesson 00, start here: all that belongs to it alone."""
