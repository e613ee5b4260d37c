"""Lesson 10, aspp ablations: all that belongs to it alone."""
