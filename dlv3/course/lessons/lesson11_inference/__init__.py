"""Lesson 11, inference: all that belongs to it alone."""
