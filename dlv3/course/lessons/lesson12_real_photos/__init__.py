"""Lesson 12, real photos: all that belongs to it alone."""
