"""Lesson 13, real photos: all that belongs to it alone."""
