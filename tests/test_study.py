import pytest

from agopconsole.errors import RequestError
from agopconsole.study import baseline_at_hand, expand, read_study, read_toml

TEXT = """
name = "transfer"
description = "two methods on two data sets"
inits = ["kaiming_uniform", {init = "agop", agop_power = 0.5}]
datasets = ["mnist", "digits"]
seeds = 2

[run]
epochs = 3
source = "dataset:digits"

[grid]
lr = [0.1, 0.01]
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "study.toml"


def runs_of(**table):
    return expand({"inits": ["normal"], **table}, "untitled").runs


def test_a_file_becomes_runs_in_order(path):
    path.write_text(TEXT)
    study = read_study(path)
    assert (study.name, study.description, study.baseline) == (
        "transfer",
        "two methods on two data sets",
        "kaiming_uniform",
    )
    order = [(run.dataset, run.lr, run.seed, run.label) for run in study.runs]
    assert order == [
        (dataset, lr, seed, label)
        for dataset in ("mnist", "digits")
        for lr in (0.1, 0.01)
        for seed in (0, 1)
        for label in ("kaiming_uniform", "agop power=0.5")
    ]
    assert {(run.study, run.epochs) for run in study.runs} == {("transfer", 3)}
    assert study.runs[1].source == "dataset:digits"


def test_without_a_name_it_is_the_file_s(path):
    path.write_text('inits = ["normal"]')
    study = read_study(path)
    assert (study.name, study.description, len(study.runs), study.runs[0].study) == ("study", "", 1, "study")


def test_a_grid_is_every_combination():
    runs = runs_of(grid={"lr": [0.1, 0.2], "batch_size": [8, 16]})
    assert [(run.lr, run.batch_size) for run in runs] == [(0.1, 8), (0.1, 16), (0.2, 8), (0.2, 16)]


@pytest.mark.parametrize(("seeds", "found"), [(3, [0, 1, 2]), ([5, 2], [5, 2]), (1, [0])])
def test_seeds_are_a_number_or_a_list(seeds, found):
    assert [run.seed for run in runs_of(seeds=seeds)] == found


def test_what_an_init_says_stands_over_the_rest():
    (run,) = runs_of(inits=[{"init": "normal", "lr": 0.5}], run={"lr": 0.1})
    assert run.lr == 0.5


def test_all_runs_of_a_study_are_different():
    runs = runs_of(inits=["normal", "uniform"], seeds=5, grid={"lr": [0.1, 0.2]}, datasets=["mnist", "digits"])
    assert len({run.fingerprint for run in runs}) == len(runs) == 40


def test_the_baseline_is_a_label_of_the_study():
    study = expand({"inits": ["normal", {"init": "nfm", "layers": "first:2"}], "baseline": "nfm layers=first:2"}, "s")
    assert study.baseline == "nfm layers=first:2"


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"init": ["nfm"]}, "unknown key of a study 'init'; did you mean 'inits'"),
        ({"inits": []}, "inits must be a list with at least one entry"),
        ({"inits": "nfm"}, "inits must be a list"),
        ({"inits": ["nfn"]}, "unknown init 'nfn'; did you mean 'nfm'"),
        ({"inits": [3]}, "init must be text, not 3"),
        ({"datasets": []}, "datasets must be a list"),
        ({"datasets": ["minst"]}, "unknown dataset 'minst'; did you mean 'mnist'"),
        ({"seeds": 0}, "seeds must be a list of seeds or a number"),
        ({"seeds": True}, "seeds must be a list of seeds or a number"),
        ({"seeds": "3"}, "seeds must be a list of seeds or a number"),
        ({"seeds": [0, 1, 0]}, "names one seed twice"),
        ({"seeds": ["x"]}, "seed must be a whole number"),
        ({"run": {"seed": 3}}, "seed stands in neither run nor grid"),
        ({"grid": {"seed": [3, 4]}}, "seed stands in neither run nor grid"),
        ({"inits": ["normal", "normal"]}, "one run twice: normal on digits with seed 0"),
        ({"inits": ["kaiming_nfm", {"init": "nfm", "scale": "kaiming"}]}, "one run twice: kaiming_nfm"),
        ({"inits": [{"init": "normal", "seed": 3}], "seeds": 2}, "one run twice: normal on digits with seed 3"),
        ({"inits": [{"lr": 0.1}]}, "an entry of inits is a name, or a table with the name as its init"),
        ({"datasets": ["digits", "digits"]}, "one run twice: normal on digits with seed 0"),
        ({"inits": ["normal", "normal"], "grid": {"lr": [0.1, 0.2]}}, "one run twice: normal"),
        ({"grid": {"lr": [1, 1.0]}}, "lr of the grid names one value twice"),
        ({"grid": {"lr": []}}, "lr of the grid must be a list with at least one entry"),
        ({"grid": {"lr": 0.1}}, "lr of the grid must be a list with at least one entry"),
        ({"description": ["text"]}, "description must be printable text"),
        ({"description": "\x1b[2J"}, "description must be printable text"),
        ({"name": "  "}, "name must be text"),
        ({"name": "x" * 101}, "name must have 100 characters at most"),
        (
            {"seeds": 10_000, "grid": {"lr": [0.01 * k for k in range(1, 12)]}},
            "that would be 110,000 runs; a study has",
        ),
        (
            {
                "seeds": 10_000,
                "rounds": 100,
                "grid": {name: list(range(1, 1000)) for name in ("epochs", "batch_size")},
            },
            "that would be 998,001,000,000 runs; a study has 100,000 at most",
        ),
        ({"grid": {"lr": [0.1]}, "run": {"lr": 0.2}}, "lr stands in run and in grid"),
        ({"grid": {"init": ["nfm"]}}, "init stands in neither run nor grid; write inits"),
        ({"run": {"study": "other"}}, "study stands in neither run nor grid; write name"),
        ({"run": {"dataset": "mnist"}, "datasets": ["digits"]}, "keep one of them"),
        ({"grid": {"layers": ["conv", "conv9"]}}, "vgg11 has no conv9"),
        ({"seeds": 99_999_999_999}, "seeds must be a list of seeds or a number of them, 1 to 10000"),
        ({"seeds": [10**30]}, "seed must be no larger than"),
        ({"name": "two\nlines"}, "study must be one line of printable text"),
        ({"run": ["lr"]}, "run must be a table"),
        ({"run": {"epoch": 3}}, "unknown field 'epoch'; did you mean 'epochs'"),
        ({"name": ""}, "name must be text"),
        ({"name": 3}, "name must be text"),
        ({"rounds": 0}, "rounds must be a whole number, 1 to 100"),
        ({"rounds": True}, "rounds must be a whole number, 1 to 100"),
        ({"rounds": 101}, "rounds must be a whole number, 1 to 100"),
        ({"rounds": 2, "grid": {"round": [1, 2]}}, "round stands in grid and rounds at the top"),
        ({"rounds": 2, "run": {"round": 2}}, "round stands in run and in grid"),
        ({"rounds": 2, "inits": ["pretrained"], "run": {"source": "noise"}}, "'noise' has nothing that pretrained"),
        ({"pairs": []}, "pairs must be a list with at least one entry"),
        ({"pairs": ["digits"]}, "an entry of pairs is a table of fields"),
        ({"pairs": [{"lr": 0.1}, {"lr": 0.1}]}, "pairs names one combination twice"),
        ({"pairs": [{"lr": 0.1}], "run": {"lr": 0.2}}, "lr stands in run and in pairs"),
        ({"pairs": [{"lr": 0.1}], "grid": {"lr": [0.2]}}, "lr stands in grid and in pairs"),
        ({"pairs": [{"dataset": "mnist"}], "datasets": ["digits"]}, "keep one of them"),
        ({"pairs": [{"seed": 1}]}, "seed stands in neither run nor grid"),
        ({"pairs": [{"lr": "fast"}]}, "lr must be a number"),
        ({"baseline": "uniform"}, "baseline 'uniform' is none of the study's methods: normal"),
    ],
)
def test_a_wrong_study_is_refused_with_what_is_wrong(table, words):
    with pytest.raises(RequestError) as caught:
        runs_of(**table)
    assert words in str(caught.value)


def test_what_a_point_of_the_grid_does_not_concern_is_run_once():
    runs = runs_of(inits=["kaiming_normal", "kaiming_agop"], seeds=2, grid={"agop_images": [8, 16]})
    assert [(run.init, run.agop_images, run.seed) for run in runs] == [
        ("kaiming_normal", 64, 0),
        ("kaiming_agop", 8, 0),
        ("kaiming_normal", 64, 1),
        ("kaiming_agop", 8, 1),
        ("kaiming_agop", 16, 0),
        ("kaiming_agop", 16, 1),
    ]


def test_a_grid_of_networks_from_one_source_leaves_the_runs_of_the_source_s_network_as_they_were():
    def fingerprints(**table):
        inits = ["kaiming_normal", "kaiming_nfm", "agop", "pretrained"]
        run = {"source": "dataset:digits", **table.pop("run", {})}
        return [run.fingerprint for run in runs_of(inits=inits, seeds=2, run=run, **table)]

    alone = fingerprints()
    both = fingerprints(run={"source_model": "vgg11"}, grid={"model": ["vgg11", "vgg11_bn"]})
    assert (both[: len(alone)], len(set(both))) == (alone, 2 * len(alone))


def test_a_study_without_inits_is_refused():
    with pytest.raises(RequestError, match="inits must be a list"):
        expand({}, "s")


def test_an_error_in_a_run_names_the_file(path):
    path.write_text('inits = ["nfn"]')
    with pytest.raises(RequestError, match=r"study.toml: unknown init 'nfn'"):
        read_study(path)


def test_an_error_of_toml_names_file_and_line(path):
    path.write_text('inits = ["nfm"]\nseeds = [1, 2\nname = 3\n')
    with pytest.raises(RequestError, match=r"study.toml is not TOML: .*line 3"):
        read_toml(path)


def test_a_mark_of_the_encoding_is_no_part_of_a_file(path):
    path.write_text('inits = ["nfm"]\n', encoding="utf-8-sig")
    assert read_toml(path) == {"inits": ["nfm"]}


def test_files_that_cannot_be_read_are_named(path):
    with pytest.raises(RequestError, match=r"there is no file .*study.toml"):
        read_toml(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(RequestError, match=r"study.toml cannot be read"):
        read_toml(path)
    path.write_text(f"inits = {'[' * 5000}{']' * 5000}")
    with pytest.raises(RequestError, match=r"study.toml is not TOML: lists or tables are nested too deep"):
        read_toml(path)
    path.write_text(f"seeds = {'9' * 5000}")
    with pytest.raises(RequestError, match=r"study.toml is not TOML"):
        read_toml(path)
    with pytest.raises(RequestError, match="cannot be read"):
        read_toml(path.parent)


def test_pairs_are_fixed_combinations_and_a_grid_stands_within_each():
    pairs = [{"dataset": "mnist", "image_size": 32}, {"dataset": "digits", "image_size": 64}]
    runs = runs_of(pairs=pairs, grid={"lr": [0.1, 0.2]})
    assert [(run.dataset, run.image_size, run.lr) for run in runs] == [
        ("mnist", 32, 0.1),
        ("mnist", 32, 0.2),
        ("digits", 64, 0.1),
        ("digits", 64, 0.2),
    ]


def test_of_a_grid_of_sources_what_needs_none_is_run_once():
    runs = runs_of(inits=["kaiming_normal", "nfm"], grid={"source": ["dataset:digits", "dataset:mnist"]})
    assert [(run.init, run.source) for run in runs] == [
        ("kaiming_normal", "imagenet"),
        ("nfm", "dataset:digits"),
        ("nfm", "dataset:mnist"),
    ]


def test_rounds_follow_one_another_and_each_starts_from_the_one_before():
    runs = runs_of(inits=["kaiming_normal", "nfm"], seeds=2, rounds=3, run={"source": "dataset:digits"})
    assert [(run.label, run.seed) for run in runs] == [
        ("kaiming_normal", 0),
        ("nfm", 0),
        ("kaiming_normal", 1),
        ("nfm", 1),
        ("nfm round=2", 0),
        ("nfm round=2", 1),
        ("nfm round=3", 0),
        ("nfm round=3", 1),
    ]
    by_place = {(run.label, run.seed): run for run in runs}
    assert by_place["nfm round=3", 1].source_run() == by_place["nfm round=2", 1]
    assert by_place["nfm round=2", 1].source_run() == by_place["nfm", 1]
    assert by_place["nfm", 1].source_run().name == "source digits"


def test_rounds_that_begin_from_noise_share_their_first_one():
    inits = ["kaiming_nfm", "kaiming_agop", "kaiming_normal", "nfm"]
    runs = runs_of(inits=inits, rounds=2, run={"source": "noise"})
    assert [run.label for run in runs] == [
        "kaiming_normal",
        "lecun_normal",
        "kaiming_nfm round=2",
        "kaiming_agop round=2",
        "nfm round=2",
    ]
    assert [run.source_run() for run in runs[2:]] == [runs[0], runs[0], runs[1]]


def test_the_baseline_of_a_study_is_found_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").mkdir()
    (tmp_path / "a.toml").write_text('name = "mine"\ninits = ["nfm"]\nbaseline = "nfm"\n')
    (tmp_path / "b.toml").write_text('name = "mine"\nbaseline = "uniform"\n')  # no study
    (tmp_path / "broken.toml").write_text("name = mine")
    (tmp_path / "configs" / "by_file.toml").write_text('inits = ["nfm"]\nbaseline = "normal"\n')
    (tmp_path / "configs" / "silent.toml").write_text('inits = ["nfm"]\n')
    (tmp_path / "configs" / "wrong.toml").write_text('inits = ["nfm"]\nbaseline = 3\n')
    names = ("mine", "by_file", "silent", "wrong", "unheard", "rounds")
    assert [baseline_at_hand(name) for name in names] == ["nfm", "normal", None, None, None, "kaiming_normal"]
