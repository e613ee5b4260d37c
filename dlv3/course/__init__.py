"""What only the lessons need: explorers, questions, exercises that check themselves, and the static site."""

from dlv3.course.atrous_explorer import AtrousExplorer
from dlv3.course.cascade_explorer import CascadeExplorer
from dlv3.course.exercises import check
from dlv3.course.image_explorer import ImageExplorer, Pick, Slider
from dlv3.course.interval_explorer import IntervalExplorer
from dlv3.course.multi_grid_explorer import MultiGridExplorer
from dlv3.course.output_stride_ladder import OutputStrideLadder
from dlv3.course.photo import PhotoExplorer
from dlv3.course.price_explorer import PriceExplorer
from dlv3.course.questions import Choice, Number
from dlv3.course.receptive_field_explorer import ReceptiveFieldExplorer
from dlv3.course.schedule_explorer import ScheduleExplorer
from dlv3.course.valid_weights_explorer import ValidWeightsExplorer

__all__ = [
    "AtrousExplorer",
    "CascadeExplorer",
    "Choice",
    "ImageExplorer",
    "IntervalExplorer",
    "MultiGridExplorer",
    "Number",
    "OutputStrideLadder",
    "PhotoExplorer",
    "Pick",
    "PriceExplorer",
    "ReceptiveFieldExplorer",
    "ScheduleExplorer",
    "Slider",
    "ValidWeightsExplorer",
    "check",
]
