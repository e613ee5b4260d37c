"""Lesson 04, cascade: all that belongs to it alone."""
