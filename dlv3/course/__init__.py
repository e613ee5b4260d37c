"""What only the lessons need: explorers, questions, exercises that check themselves, and the static site."""

from dlv3.course.exercises import check
from dlv3.course.questions import Choice, Number

__all__ = ["Choice", "Number", "check"]
