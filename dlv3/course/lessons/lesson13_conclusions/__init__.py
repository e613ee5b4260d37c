"""Lesson 13, conclusions: all that belongs to it alone."""
