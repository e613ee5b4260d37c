"""What every lesson shares: exercises, questions, cards, the base of the explorers, plots, and the pages."""
