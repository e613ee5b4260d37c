"""Lesson 08, training: all that belongs to it alone."""
