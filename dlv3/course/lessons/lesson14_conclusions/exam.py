"""The last exam: ten questions about the whole course. If an answer is a number, the library computes it."""

from dlv3.ablations.probes.expectation import reached
from dlv3.ablations.results import difference
from dlv3.atrous import effective_kernel_size, valid_weight_shares
from dlv3.course.kit.exam import Asked, Exam
from dlv3.course.kit.questions import Choice, Number
from dlv3.resnet import base_rate

SEEDS = (2.1, 0.3, 1.2, -0.4, 1.8)
STACKS = ((1, 2, 3), (1, 3, 1), (2, 4, 2), (1, 2, 5))


def last_exam() -> Exam:
    """Return the exam of lesson 14, with the answers given so far."""
    return Exam("The last exam", [*_arithmetic(), *_diagnosis()])


def _arithmetic() -> list[Asked]:
    block6 = tuple(base_rate(6, 8) * unit for unit in (1, 2, 1))
    full = 100 * valid_weight_shares(-(-321 // 16), 6)[9]
    return [
        Asked(
            Number("A 5×5 layer of rate 3 works on a map of output stride 8. By how many pixels of the picture does "
                   "the receptive field grow?"),
            (effective_kernel_size(5, 3) - 1) * 8,
            "The filter spans 5 + 4 · 2 = 13 samples: it adds 12, of 8 pixels each.",
            "02_receptive_fields",
            "section 3",
        ),
        Asked(
            Number("You load torchvision's weights, whose strides stand in a block's first 3×3, and run at output "
                   "stride 8. Which rate must the first unit of block4 take?"),
            base_rate(3, 8),
            "It reads the map from before the lost stride, so it keeps block3's rate, 2; the units after it take 4.",
            "03_output_stride",
            "section 3",
        ),
        Asked(
            Choice("block6 at output stride 8, multi-grid (1, 2, 1). Which rates do its three 3×3 convolutions have?",
                   [(8, 16, 8), (16, 32, 16), (1, 2, 1), (16, 16, 16)]),
            block6,
            "Without atrous convolution block6 has stride 128: 128 / 8 = 16, times the unit rates.",
            "04_cascade",
            "section 3",
        ),
        Asked(
            Choice("Three 3×3 layers, one after the other. Which rates leave holes in the field?", STACKS),
            next(stack for stack in STACKS if len(reached(stack)) < 2 * sum(stack) + 1),
            "All its steps are even, so every odd distance is out of reach, however many layers follow.",
            "02_receptive_fields",
            "section 7",
        ),
        Asked(
            Number("You train on crops of 321 pixels at output stride 16. At how many percent of the positions does "
                   "ASPP's branch of rate 6 have all nine weights on the map?", unit="%", within=1),
            round(full, 1),
            "The map has 21 samples a side; 21 − 12 = 9 of them per axis keep both neighbours: (9 / 21)².",
            "06_aspp",
            "section 3",
        ),
    ]  # fmt: skip


def _diagnosis() -> list[Asked]:
    differences = ", ".join(f"{points:+g}" for points in SEEDS)
    return [
        Asked(
            Choice("ASPP scores 30 points above the same backbone without it. Which further run tells its reach from "
                   "its additional weights?",
                   ["the same ASPP with rates 1, 1, 1", "ASPP with a fourth branch", "both rows with more seeds",
                    "ASPP on a deeper backbone"]),
            "the same ASPP with rates 1, 1, 1",
            "It has exactly as many weights, and its branches reach no further than one 3×3.",
            "11_where_it_shows",
            "section 5",
        ),
        Asked(
            Choice("Your own DeepLabv3 loads torchvision's checkpoint with `strict=True`, without a complaint, and "
                   "scores eight points too low. Which of these cannot be the reason?",
                   ["ASPP's rates", "the rate of block4's first unit", "a missing batch normalization in ASPP",
                    "align_corners=True in the upsampling"]),
            "a missing batch normalization in ASPP",
            "Its tensors would have been left over. Rates and upsampling are in no tensor, so nothing complains.",
            "07_whole_model",
            "section 3",
        ),
        Asked(
            Choice("After 500 iterations the loss is low and the score is poor. Scored in training mode, each batch "
                   "by its own statistics, the same weights do well. What is wrong?",
                   ["a momentum of 0.0003 in batch normalization", "a learning rate that is too high",
                    "labels of 255 that count in the loss", "crops that are too small"]),
            "a momentum of 0.0003 in batch normalization",
            "500 updates with it leave most of the start's statistics in place. The weights are fine.",
            "08_training",
            "section 8",
        ),
        Asked(
            Choice("A network trained on crops that are larger than many of its photos calls a broad strip along "
                   "their lower and right sides background, whatever is there. What do you look at first?",
                   ["what label the padding has", "whether ASPP's rates reach too far",
                    "whether the output stride is too large", "whether mirror images are missing"]),
            "what label the padding has",
            "Padded with 0, it teaches that what lies there is background. It has no label: 255.",
            "13_real_photos",
            "section 5",
        ),
        Asked(
            Choice(f"Five seeds, with and without a change: {differences} points. The 95% interval of the mean is "
                   "[−0.3, +2.3]. What does the rule of this course say of the claim that it helps?",
                   ["reproduced", "same direction", "within noise", "opposite"]),
            difference(SEEDS).verdict,
            "The interval contains 0, and one seed points the other way. A mean of a whole point is not a finding yet.",
            "09_cascade_ablations",
            "section 5",
        ),
    ]  # fmt: skip
