"""Picture trees, in place of a published archive and as folders of the user's own."""

import pytest
from helpers.dataset_files import jpeg, save_picture, tiny_imagenet_files, write_folder

from agopconsole.backend.data import load_dataset
from agopconsole.errors import WorkError


def write_tree(root, parts=("train", "test"), classes=("cat", "ant", "bee"), size=(32, 32)):
    """Class k of a part has k + 1 pictures of the value 10 k + i, 100 more in the second part."""
    for p, part in enumerate(parts):
        for k, name in enumerate(classes):
            for i in range(k + 1):
                value = 100 * p + 10 * k + i
                save_picture(root / part / name / f"{i}.png", (value, value, value), size)


def values(images) -> list[int]:
    return images.pixels[:, 0, 0, 0].tolist()


@pytest.mark.parametrize("test_part", ["test", "val"])
def test_a_tree_stands_in_for_the_archive(tmp_path, test_part):
    write_tree(tmp_path / "cifar10", ("train", test_part))
    dataset = load_dataset("cifar10", tmp_path, image_size=64)
    assert dataset.classes == ("ant", "bee", "cat")
    assert values(dataset.train) == [10, 11, 20, 21, 22, 0]
    assert dataset.train.labels.tolist() == [0, 0, 1, 1, 1, 2]
    assert values(dataset.test) == [110, 111, 120, 121, 122, 100]
    assert dataset.train.pixels.shape[1:] == (3, 32, 32)
    assert dataset.origin == (
        f"picture tree cifar10/{{train,{test_part}}}, 3 of 10 classes, 6 of 50,000 training pictures, "
        "6 of 10,000 test pictures"
    )


@pytest.mark.parametrize("name", ["svhn", "cifar100", "tiny_imagenet", "mnist", "fashion_mnist"])
def test_a_tree_stands_in_for_any_data_set_at_its_own_size(tmp_path, name):
    size = {"svhn": 32, "cifar100": 32, "tiny_imagenet": 64}.get(name, 28)
    write_tree(tmp_path / name, size=(size, size))
    dataset = load_dataset(name, tmp_path, image_size=16)
    assert values(dataset.train) == [10, 11, 20, 21, 22, 0]
    assert dataset.train.pixels.shape[1:] == (1 if "mnist" in name else 3, size, size)
    assert dataset.origin.startswith(f"picture tree {name}/{{train,test}}, 3 of ")


def test_numbered_classes_sort_as_numbers(tmp_path):
    write_tree(tmp_path / "mnist", classes=("10", "9", "2"), size=(28, 28))
    dataset = load_dataset("mnist", tmp_path, image_size=32)
    assert dataset.classes == ("2", "9", "10")
    assert values(dataset.train) == [20, 21, 22, 10, 11, 0]


def test_pictures_of_another_size_are_resized_and_said_to_be(tmp_path):
    write_tree(tmp_path / "cifar10", size=(40, 40))
    save_picture(tmp_path / "cifar10" / "train" / "ant" / "9.png", (1, 1, 1), (32, 32))
    dataset = load_dataset("cifar10", tmp_path, image_size=32)
    assert dataset.train.pixels.shape == (7, 3, 32, 32)
    assert ", 12 of 13 pictures resized to 32 px and cropped to squares, " in dataset.origin


def test_a_tree_without_a_test_split_has_none(tmp_path):
    write_tree(tmp_path / "cifar10", ("train",))
    dataset = load_dataset("cifar10", tmp_path, image_size=32)
    assert dataset.test is None
    assert dataset.origin.startswith("picture tree cifar10/train, ")


def test_hidden_folders_are_no_class_and_hidden_files_no_picture(tmp_path):
    root = tmp_path / "cifar10"
    write_tree(root)
    write_folder(
        root / "train",
        {
            ".ipynb_checkpoints/x.png": b"",
            ".DS_Store": b"",
            "ant/.DS_Store": b"",
            "ant/._0.png": b"",
            "bee/notes.txt": b"",
        },
    )
    dataset = load_dataset("cifar10", tmp_path, image_size=32)
    assert dataset.classes == ("ant", "bee", "cat")
    assert len(dataset.train) == 6


@pytest.mark.parametrize("content", [None, ".DS_Store", "notes.txt"])
@pytest.mark.parametrize("part", ["train", "test"])
def test_an_empty_class_folder_is_named(tmp_path, part, content):
    write_tree(tmp_path / "cifar10")
    folder = tmp_path / "cifar10" / part / "ant"
    for path in folder.iterdir():
        path.unlink()
    if content:
        (folder / content).write_bytes(b"")
    with pytest.raises(WorkError, match=f"cifar10/{part}/ant holds no picture"):
        load_dataset("cifar10", tmp_path, image_size=32)


def test_a_class_of_the_test_split_alone_is_an_error(tmp_path):
    write_tree(tmp_path / "cifar10")
    save_picture(tmp_path / "cifar10" / "test" / "dog" / "0.png", 1)
    with pytest.raises(WorkError, match="cifar10/test has a class folder 'dog' that the training split lacks"):
        load_dataset("cifar10", tmp_path, image_size=32)


def test_a_truncated_jpeg_is_named(tmp_path):
    write_tree(tmp_path / "cifar10")
    (tmp_path / "cifar10" / "train" / "bee" / "1.jpg").write_bytes(jpeg((1, 2, 3), 32)[:-100])
    with pytest.raises(WorkError, match=r"cifar10/train/bee/1\.jpg is no whole picture"):
        load_dataset("cifar10", tmp_path, image_size=32)


@pytest.mark.parametrize("test_part", ["val", "test"])
def test_an_image_folder_is_brought_to_the_size_asked_for(tmp_path, test_part):
    write_tree(tmp_path / "mine", ("train", test_part), size=(50, 40))
    name = f"imagefolder:{tmp_path / 'mine'}"
    dataset = load_dataset(name, tmp_path / "data", image_size=24)
    assert dataset.name == name
    assert dataset.train.pixels.shape == (6, 3, 24, 24)
    assert values(dataset.test) == [110, 111, 120, 121, 122, 100]
    assert dataset.origin == (
        f"picture tree mine/{{train,{test_part}}}, 12 of 12 pictures resized to 24 px and cropped to squares"
    )
    assert len(list((tmp_path / "data" / ".decoded").iterdir())) == 2


def test_an_image_folder_may_be_one_folder_a_class(tmp_path):
    write_tree(tmp_path, ("mine",))
    dataset = load_dataset(f"imagefolder:{tmp_path / 'mine'}", tmp_path / "data", image_size=32)
    assert dataset.classes == ("ant", "bee", "cat")
    assert values(dataset.train) == [10, 11, 20, 21, 22, 0]
    assert dataset.test is None
    assert dataset.origin == "picture tree mine"


def test_pictures_may_lie_deeper_in_their_class_folder(tmp_path):
    write_tree(tmp_path, ("mine",))
    save_picture(tmp_path / "mine" / "ant" / "more" / "x.png", (9, 9, 9), (32, 32))
    dataset = load_dataset(f"imagefolder:{tmp_path / 'mine'}", tmp_path / "data", image_size=32)
    assert values(dataset.train) == [10, 11, 9, 20, 21, 22, 0]


def test_an_image_folder_in_the_layout_of_tiny_imagenet_is_read_by_its_annotations(tmp_path):
    write_folder(tmp_path / "mine", tiny_imagenet_files())
    dataset = load_dataset(f"imagefolder:{tmp_path / 'mine'}", tmp_path / "data", image_size=64)
    assert dataset.test.labels.tolist() == [1, 2, 0]
    assert dataset.origin == "folder mine"


def test_an_image_folder_that_is_not_there_or_has_one_class_is_an_error(tmp_path):
    with pytest.raises(WorkError, match=r"dataset 'imagefolder:.*mine': there is no folder .*mine"):
        load_dataset(f"imagefolder:{tmp_path / 'mine'}", tmp_path, image_size=32)
    save_picture(tmp_path / "mine" / "ant" / "0.png", 1)
    with pytest.raises(WorkError, match=r"mine holds 1 class folder, where a classifier needs two or more"):
        load_dataset(f"imagefolder:{tmp_path / 'mine'}", tmp_path, image_size=32)


def test_loading_twice_gives_the_same_order(tmp_path):
    write_tree(tmp_path / "cifar10")
    first = load_dataset("cifar10", tmp_path, image_size=32)
    second = load_dataset("cifar10", tmp_path, image_size=32)
    assert values(first.train) == values(second.train)
    assert first.train.labels.tolist() == second.train.labels.tolist()
    assert first.origin == second.origin
