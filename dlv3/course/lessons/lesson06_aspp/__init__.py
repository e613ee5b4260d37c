"""Lesson 06, aspp: all that belongs to it alone."""
