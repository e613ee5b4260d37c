"""The parts that all lessons share: exercises, questions, cards, the base of the explorers, plots, and the pages."""
