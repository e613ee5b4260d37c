"""Lesson 05, multi grid: all that belongs to it alone."""
