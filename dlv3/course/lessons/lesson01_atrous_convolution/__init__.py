"""Lesson 01, atrous convolution: all that belongs to it alone."""
