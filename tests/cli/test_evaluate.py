"""`dlv3 evaluate` from the words of the command line to files and exit status."""

import json
import os
import shutil
import socket
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.multiprocessing as mp
from command_lines import one_error_line, save_run
from PIL import Image

from dlv3 import DeepLabV3, DeepLabV3Config, weights
from dlv3.cli import main, parse
from dlv3.cli.evaluate import EvaluateArguments, evaluate_command
from dlv3.cli.predict import PredictArguments, predict_command
from dlv3.config.run import RunConfig
from dlv3.data import voc_palette
from dlv3.data.named_classes import NamedClasses
from dlv3.evaluation.trained import load_trained


def evaluate(*words):
    return evaluate_command(parse(EvaluateArguments, words, "dlv3 evaluate"))


def predict(*words):
    return predict_command(parse(PredictArguments, words, "dlv3 predict"))


def photos(folder, count, labels, size=(40, 30)):
    """A folder of photos and masks as a person has them; the masks hold the given labels."""
    generator = np.random.default_rng(0)
    for kind in ("images", "masks"):
        Path(folder, kind).mkdir(parents=True)
    for i in range(count):
        pixels = generator.integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(Path(folder, "images", f"{i}.jpg"))
        Image.fromarray(generator.choice(np.uint8(labels), size)).save(Path(folder, "masks", f"{i}.png"))
    Path(folder, "val.txt").write_text("".join(f"{i}\n" for i in range(count)))


def test_evaluate_prints_the_table_and_writes_json(run, capsys):
    assert evaluate("run", "--workers", "0") == 0
    printed = capsys.readouterr().out
    for part in (
        "run/model.safetensors on scenes, val",
        "background",
        "wire",
        "mIOU",
        "pixel accuracy",
        "3 images",
    ):
        assert part in printed
    values = json.loads(Path("run/evaluation_val_os16.json").read_text())
    assert (values["data"], values["split"], values["images"]) == ("scenes", "val", 3)
    assert f"{100 * values['miou']:.2f}" in printed
    assert values["pixels"] == 3 * 129 * 129


def test_evaluate_otherwise_has_a_file_of_its_own(run, capsys):
    words = [
        "--output-stride",
        "8",
        "--scales",
        "0.5",
        "1",
        "--flip",
        "--pictures",
        "2",
        "--split",
        "test",
        "--workers",
        "0",
    ]
    assert evaluate("run", *words) == 0
    values = json.loads(Path("run/evaluation_test_pictures-2_os8_scales-0.5-1_flip.json").read_text())
    assert (values["output_stride"], values["scales"], values["flip"]) == (8, [0.5, 1.0], True)
    assert values["images"] == 2
    assert "output stride 8, scales 0.5 1, with flip" in capsys.readouterr().out


def test_evaluate_weights_alone_on_a_folder(run, tmp_path):
    shutil.copy("run/model.safetensors", "alone.safetensors")
    photos("mine", 3, labels=[0, 1, 2, 11])
    words = [
        "alone.safetensors",
        "--data",
        "folder:mine",
        "--ignore",
        "11",
        "--workers",
        "0",
        "--out",
        "deep/scores.json",
    ]
    assert evaluate(*words) == 0
    values = json.loads(Path("deep/scores.json").read_text())
    ignored = sum(int((np.array(Image.open(path)) == 11).sum()) for path in Path("mine/masks").iterdir())
    assert ignored > 0
    assert values["pixels"] == 3 * 40 * 30 - ignored
    assert len(values["classes"]) == 8  # the model's, though the folder shows three


def test_evaluate_writes_csv_and_a_picture_and_prints_precision(run, capsys):
    assert (
        evaluate("run", "--workers", "0", "--pictures", "1", "--csv", "--confusion", "--out", "scores.json")
        == 0
    )
    printed = capsys.readouterr().out
    assert "precision %  recall %" in printed
    assert printed.endswith("written to scores.json\nwritten to scores.csv\nwritten to scores.png\n")
    values = json.loads(Path("scores.json").read_text())
    matrix = np.array(values["confusion"])
    assert values["class_recall"][0] == pytest.approx(matrix[0, 0] / matrix[0].sum())
    assert Path("scores.csv").read_text().startswith("class,iou,precision,recall,")
    assert Image.open("scores.png").format == "PNG"


@pytest.mark.parametrize("out", ["run/model.safetensors", "run/config.json", "run"])
def test_evaluate_replaces_no_other_file_and_says_so_before_the_work(run, out, monkeypatch):
    before = Path("run/model.safetensors").read_bytes(), Path("run/config.json").read_bytes()
    monkeypatch.setattr("dlv3.cli.evaluate.evaluate", lambda *words, **options: pytest.fail("it began"))
    with pytest.raises(ValueError, match=f"^--out {out}: is there and is not an evaluation's file"):
        evaluate("run", "--out", out)
    Path("taken").touch()
    with pytest.raises(OSError, match=r"^taken/x.json: cannot be written: [^\n]*; give another --out$"):
        evaluate("run", "--out", "taken/x.json")
    with pytest.raises(ValueError, match=r"^--out \.: is a folder; expected the JSON file's name"):
        evaluate("run", "--out", ".")
    assert (Path("run/model.safetensors").read_bytes(), Path("run/config.json").read_bytes()) == before


def test_evaluate_other_data_and_other_precision_have_files_of_their_own(run):
    photos("mine", 1, labels=[0, 1])
    photos("deep/mine", 1, labels=[0, 1])
    for words in ([], ["--precision", "bfloat16"], ["--data", "folder:mine"], ["--data", "folder:deep/mine"]):
        assert evaluate("run", "--workers", "0", *words) == 0
    assert len(list(Path("run").glob("evaluation_val_*.json"))) == 4
    assert Path("run/evaluation_val_os16_bfloat16.json").is_file()


def test_evaluate_weights_alone_needs_data(run):
    shutil.copy("run/model.safetensors", "alone.safetensors")
    with pytest.raises(ValueError, match=r"^alone.safetensors: .*give --data"):
        evaluate("alone.safetensors")


def test_evaluate_says_which_file_has_a_label_out_of_range(run):
    photos("mine", 2, labels=[0, 1, 11])
    with pytest.raises(ValueError, match=r"mine/masks/0.png: label 11"):
        evaluate("run", "--data", "folder:mine", "--workers", "0")


def test_evaluate_out_that_cannot_be_written_is_one_line(run):
    Path("taken").touch()
    with pytest.raises(OSError, match=r"^taken/x.json: cannot be written: [^\n]*; give another --out$"):
        evaluate("run", "--out", "taken/x.json", "--workers", "0", "--pictures", "1")


def test_output_stride_that_the_model_cannot_have_is_named(run):
    with pytest.raises(ValueError, match="output_stride=64"):
        evaluate("run", "--output-stride", "64", "--workers", "0")


def test_weights_of_a_folder_of_photos_get_vocs_colours(tmp_path):
    config = RunConfig(
        dataset="folder:x", model=DeepLabV3Config(backbone="resnet14", num_classes=5, aspp_rates=(2,))
    )
    save_run(tmp_path / "run", config)
    trained = load_trained(tmp_path / "run")
    assert trained.config == config
    assert np.array_equal(trained.palette(), voc_palette(5))
    assert not trained.model.training


def truncate(path):
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda run: shutil.rmtree(run), "^run: no such run or weights"),
        (
            lambda run: (run / "model.safetensors").unlink(),
            "^run: no model.safetensors in this folder; it is not a run's folder",
        ),
        (lambda run: (run / "model.safetensors").rename(run / "checkpoint.pt"), "training has not finished"),
        (
            lambda run: truncate(run / "model.safetensors"),
            "run/model.safetensors: cannot be read as safetensors",
        ),
        (
            lambda run: truncate(run / "config.json"),
            "^run/config.json: cannot be read as a run's configuration",
        ),
        (
            lambda run: (run / "config.json").write_text('{"colour": 1}'),
            "run/config.json: .*'colour' is not a field",
        ),
    ],
    ids=[
        "missing",
        "no weights",
        "unfinished",
        "truncated",
        "truncated configuration",
        "foreign configuration",
    ],
)
def test_bad_run_is_one_line(run, spoil, message):
    spoil(run)
    with pytest.raises((ValueError, OSError), match=message) as error:
        predict("run", "a.png")
    assert "\n" not in str(error.value)
    with pytest.raises((ValueError, OSError), match=message):
        evaluate("run")


def evaluate_as_rank(rank, port):
    torch.set_num_threads(1)
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    out = f"rank{rank}.json"
    assert evaluate("run", "--workers", "0", "--device", "cpu", "--out", out) == 0


@pytest.mark.slow
def test_under_torchrun_one_process_writes_the_scores_of_all(run):
    evaluate("run", "--workers", "0", "--out", "alone.json")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mp.spawn(evaluate_as_rank, args=(port,), nprocs=2)
    assert not Path("rank1.json").exists()
    together, alone = (json.loads(Path(name).read_text()) for name in ("rank0.json", "alone.json"))
    assert together | {"seconds": None} == alone | {"seconds": None}


def test_truncated_weights_are_one_line_and_status_2(run: Path, capsys: pytest.CaptureFixture):
    truncate(run / "model.safetensors")
    assert main(["evaluate", "run"]) == 2
    assert "model.safetensors" in one_error_line(capsys.readouterr().err)


def test_classes_in_another_order_than_in_the_training_are_refused(run):
    photos("my", 2, [0, 1])
    Path("my/classes.txt").write_text("object\nground\n")
    model = DeepLabV3(DeepLabV3Config(backbone="resnet14", num_classes=2, aspp_rates=(), output_stride=16))
    weights.save(model, "a.safetensors", NamedClasses(("ground", "object"), ((0, 0, 0),) * 2).to_metadata())
    with pytest.raises(
        ValueError, match="folder:my: the class 'ground' has index 1 there, and 0 in the data"
    ):
        evaluate("a.safetensors", "--data", "folder:my", "--workers", "0")
    Path("my/classes.txt").write_text("ground\nobject\n")
    assert evaluate("a.safetensors", "--data", "folder:my", "--workers", "0") == 0


def test_evaluation_that_fails_leaves_no_folder(run, monkeypatch):
    def fails(*arguments, **options):
        raise ValueError("a photo is broken")

    monkeypatch.setattr("dlv3.cli.evaluate.evaluate", fails)
    with pytest.raises(ValueError, match="a photo is broken"):
        evaluate("run", "--workers", "0", "--out", "new/scores/run.json")
    assert not Path("new").exists()
