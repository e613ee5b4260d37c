"""Probes: small tasks in which one mechanism of the paper alone decides the score."""
