"""Lesson 14, conclusions: all that belongs to it alone."""
