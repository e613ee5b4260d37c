"""Finding pictures by files, folders and patterns, and naming their results."""

import os
from pathlib import Path

import pytest

from dlv3.data.errors import DataError
from dlv3.data.photos.images import IMAGE_SUFFIXES
from dlv3.evaluation.pictures import OTHER_SUFFIXES, find_pictures


def touch(*names):
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def names(*inputs, out="predictions"):
    pictures, problems = find_pictures(inputs, Path(out))
    assert not problems
    return {os.path.relpath(picture.path): str(picture.name) for picture in pictures}


def problems(*inputs, out="predictions"):
    return find_pictures(inputs, Path(out))[1]


def test_file_is_called_by_its_stem(here):
    touch("a/photo.v2.JPG")
    assert names("a/photo.v2.JPG") == {"a/photo.v2.JPG": "photo.v2"}


def test_folder_stands_for_what_is_below_and_is_mirrored(here):
    touch(
        "trip/b.png",
        "trip/day/a.jpeg",
        "trip/notes.txt",
        "trip/.hidden.png",
        "trip/.cache/c.png",
        "other.png",
    )
    assert names("trip") == {"trip/b.png": "b", "trip/day/a.jpeg": "day/a"}
    assert names("trip/") == names("trip")


def test_pattern_stands_for_what_it_matches_and_its_folders_are_mirrored(here):
    touch("trip/b.png", "trip/day/a.png", "trip/day/a.txt", "trip/c.jpg")
    assert names("trip/*.png") == {"trip/b.png": "b"}
    assert names("trip/**/*.png") == {"trip/b.png": "b", "trip/day/a.png": "day/a"}
    assert names("tr*") == {"trip/b.png": "trip/b", "trip/c.jpg": "trip/c", "trip/day/a.png": "trip/day/a"}


def test_name_that_looks_like_a_pattern_is_taken_as_it_is(here):
    touch("a[1].png", "a1.png")
    assert names("a[1].png") == {"a[1].png": "a[1]"}


def test_order_is_that_of_the_inputs_and_each_picture_comes_once(here):
    touch("a/1.png", "a/2.png", "b.png")
    assert list(names("b.png", "a/2.png", "a", "./a/1.png")) == ["b.png", "a/2.png", "a/1.png"]


def test_paths_stay_as_they_were_typed(here):
    touch("a/1.png", "b.png")
    assert [str(picture.path) for picture in find_pictures(["a", "b.png"], Path("out"))[0]] == [
        "a/1.png",
        "b.png",
    ]


def test_same_names_in_two_folders_mirror_the_folders(here):
    touch("x/left/p.png", "x/right/p.png", "x/q.png")
    expected = {"x/left/p.png": "left/p", "x/right/p.png": "right/p", "x/q.png": "q"}
    assert names("x/left", "x/right", "x/q.png") == expected
    assert names("x/left/p.png", "x/right/p.png", "x/q.png") == expected


def test_same_stems_keep_their_suffixes_and_no_other_picture_does(here):
    touch("p.png", "p.jpg", "q.png")
    assert names("p.png", "p.jpg", "q.png") == {"p.png": "p.png", "p.jpg": "p.jpg", "q.png": "q"}


def test_suffixes_that_make_a_name_equal_to_another_one_are_kept_there_too(here):
    touch("p.png", "p.jpg", "p.png.png", "q.png")
    expected = {"p.png": "p.png", "p.jpg": "p.jpg", "p.png.png": "p.png.png", "q.png": "q"}
    assert names(".") == expected


def test_names_that_differ_in_case_alone_are_the_same(here):
    touch("a/P.png", "b/p.png")
    assert names("a", "b") == {"a/P.png": "a/P", "b/p.png": "b/p"}


def test_results_of_the_last_time_are_left_out(here):
    touch("a.png", "predictions/a_mask.png")
    assert list(names(".")) == ["a.png"]
    assert list(names("**/*.png")) == ["a.png"]
    assert list(names("predictions/a_mask.png")) == ["predictions/a_mask.png"]  # asked for by name
    assert list(names("predictions", out="predictions")) == ["predictions/a_mask.png"]


def test_file_by_name_is_taken_whatever_it_is_called(here):
    touch("photo.xyz")
    assert names("photo.xyz") == {"photo.xyz": "photo"}


def test_input_without_pictures_is_named(here):
    touch("empty/notes.txt", "a.png")
    assert problems("nope.png", "a.png") == ["nope.png: no such file or folder"]
    assert problems("nope/*.png") == ["nope/*.png: no such file or folder"]
    assert problems("empty/*") == ["empty/*: matches no pictures"]
    (line,) = problems("empty")
    assert line.startswith("empty: no pictures in this folder (.jpg")
    assert find_pictures([], Path("predictions")) == ([], [])


def test_empty_name_is_refused_and_is_not_the_working_directory(here):
    touch("a.png")
    with pytest.raises(DataError, match=r"^pictures: an empty name \(''\); give files"):
        find_pictures([""], Path("predictions"))


def test_links_in_a_circle_end(here):
    touch("trip/a.png", "trip/day/b.png")
    for number in range(2):
        Path(f"trip/day/up{number}").symlink_to("..", target_is_directory=True)
        Path(f"trip/back{number}").symlink_to(".", target_is_directory=True)
    for text in ("trip", "trip/**/*.png", "**/*.png"):
        found, _ = find_pictures([text], Path("predictions"))
        assert [str(picture.path) for picture in found] == ["trip/a.png", "trip/day/b.png"]


def test_link_to_a_folder_is_named_and_followed_where_it_is_given(here):
    touch("trip/a.png", "far/b.png")
    Path("trip/link").symlink_to("../far")
    assert problems("trip") == ["trip/link: a link to a folder, which is not followed; give it by name"]
    assert names("trip/link") == {"trip/link/b.png": "b"}


def test_pipe_and_broken_link_are_named_and_not_opened(here):
    touch("a.png")
    os.mkfifo("pipe.png")
    Path("broken.png").symlink_to("nowhere.png")
    reason = "not a file that can be read, but a pipe, a device or a broken link"
    for inputs in (["."], ["*.png"], ["a.png", "broken.png", "pipe.png"]):
        found, said = find_pictures(inputs, Path("predictions"))
        assert [picture.path.name for picture in found] == ["a.png"]
        assert said == [f"broken.png: {reason}", f"pipe.png: {reason}"]


@pytest.mark.parametrize("pattern", ["in/*/../../*.png", "in/*/../../../*.png"])
def test_pattern_that_climbs_stays_below_out(here, monkeypatch, pattern):
    touch("work/in/day/x.png", "work/a.png", "b.png")
    monkeypatch.chdir("work")
    for name in names(pattern).values():
        assert not Path(name).is_absolute()
        assert ".." not in Path(name).parts


def test_results_are_left_out_through_a_link(here):
    touch("trip/a.png", "trip/out/a_mask.png")
    Path("link").symlink_to("trip")
    assert list(names("link", out="trip/out")) == ["link/a.png"]
    assert list(names("trip", out="link/out")) == ["trip/a.png"]


def test_pictures_and_films_of_other_kinds_are_counted(here):
    touch(
        "trip/a.png",
        "trip/b.HEIC",
        "trip/day/c.heic",
        "trip/d.mp4",
        "trip/e.gif",
        "trip/notes.txt",
        "trip/.f.gif",
    )
    kinds = "1 .gif, 2 .heic, 1 .mp4: kinds that are not read; save them as .jpg, .jpeg"
    for text in ("trip", "trip/**/*"):
        (line,) = problems(text)
        assert line.startswith(f"{text}: {kinds}")
    (line,) = problems("trip/*.mp4")
    assert line.startswith("trip/*.mp4: 1 .mp4: kinds")


def test_no_kind_is_both_read_and_not():
    assert OTHER_SUFFIXES.isdisjoint(IMAGE_SUFFIXES)


def test_two_stars_in_a_name_are_one(here):
    touch("a1.png", "day/a2.png")
    assert names("a**.png") == {"a1.png": "a1"}
