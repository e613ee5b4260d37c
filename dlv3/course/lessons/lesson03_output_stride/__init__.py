"""Lesson 03, output stride: all that belongs to it alone."""
