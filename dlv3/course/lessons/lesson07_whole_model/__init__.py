"""Lesson 07, whole model: all that belongs to it alone."""
