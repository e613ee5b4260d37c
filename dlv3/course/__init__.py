"""The parts that only the lessons need: explorers, questions, and exercises that check themselves."""

from dlv3.course.kit.exercises import check
from dlv3.course.kit.image_explorer import ImageExplorer, Pick, Slider
from dlv3.course.kit.questions import Choice, Number
from dlv3.course.kit.valid_weights_explorer import ValidWeightsExplorer
from dlv3.course.lessons.lesson01_atrous_convolution.explorer import AtrousExplorer
from dlv3.course.lessons.lesson01_atrous_convolution.photo import PhotoExplorer
from dlv3.course.lessons.lesson02_receptive_fields.explorer import ReceptiveFieldExplorer
from dlv3.course.lessons.lesson02_receptive_fields.resnet_explorer import ResNetExplorer
from dlv3.course.lessons.lesson03_output_stride.explorer import OutputStrideLadder
from dlv3.course.lessons.lesson04_cascade.explorer import CascadeExplorer
from dlv3.course.lessons.lesson05_multi_grid.explorer import MultiGridExplorer
from dlv3.course.lessons.lesson07_whole_model.explorer import PriceExplorer
from dlv3.course.lessons.lesson08_training.explorer import ScheduleExplorer
from dlv3.course.lessons.lesson09_cascade_ablations.explorer import IntervalExplorer
from dlv3.course.lessons.lesson11_where_it_shows.explorer import WorldExplorer

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
    "ResNetExplorer",
    "ScheduleExplorer",
    "Slider",
    "ValidWeightsExplorer",
    "WorldExplorer",
    "check",
]
