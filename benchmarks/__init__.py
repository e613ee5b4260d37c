"""Speed, side by side with the alternative in one process: `python -m benchmarks`."""
