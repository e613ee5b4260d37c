"""Lesson 12, inference: all that belongs to it alone."""
