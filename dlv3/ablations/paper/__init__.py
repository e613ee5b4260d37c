"""The tables of the paper, and their rows as runs at the scale of a preset."""
