"""Lesson 02, receptive fields: all that belongs to it alone."""
