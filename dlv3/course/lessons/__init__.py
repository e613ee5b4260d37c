"""One package a lesson: its checks, its explorer in Python and JavaScript, and its helpers."""
