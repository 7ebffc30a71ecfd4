"""The form for new runs: what it reads, what it says, what it queues."""

import pytest
from helpers.console import console, press, text, until

from agopconsole.errors import RequestError
from agopconsole.spec import RunSpec
from agopconsole.store import Store
from agopconsole.study import expand, read_study, read_toml, studies_at_hand
from agopconsole.tui.form import FIELDS, form_texts, read_form
from agopconsole.tui.form_screen import FormScreen


def test_an_empty_form_is_the_run_of_the_defaults():
    assert read_form({}) == (RunSpec.parse({}),)
    assert read_form({"init": "nfm", "lr": "0.5", "seed": "7"}) == (
        RunSpec.parse({"init": "nfm", "lr": 0.5, "seed": 7}),
    )


def test_several_values_are_a_study():
    runs = read_form({"init": "normal, nfm", "seed": "0-2,5", "study": "s", "grid": "lr=0.1,0.01; epochs=3"})
    assert len(runs) == 16
    assert {run.seed for run in runs} == {0, 1, 2, 5}
    assert {run.lr for run in runs} == {0.1, 0.01}
    assert {run.epochs for run in runs} == {3}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"lr": "fast"}, 'lr must be a number, not "fast"'),
        ({"lr": "0"}, "lr must be above 0, not 0"),
        ({"init": "kaimin_nfm"}, "did you mean 'kaiming_nfm'?"),
        ({"seed": "x"}, 'seed must be a whole number, not "x"'),
        ({"seed": "0-3"}, "give it a name in the field study"),
        ({"grid": "lr", "study": "s"}, "grid 'lr' is not of the form"),
        ({"init": "nfm+poster"}, "poster is not of the form scale=poster"),
        (
            {"seed": "0-99999", "init": "normal,uniform", "study": "s"},
            "that would be 200,000 runs; a study has 100,000 at most",
        ),
    ],
)
def test_a_mistake_is_said_as_the_command_line_says_it(texts, message):
    with pytest.raises(RequestError) as error:
        read_form(texts)
    assert message in str(error.value)


@pytest.mark.parametrize("name", sorted(studies_at_hand()))
def test_every_preset_gives_the_runs_of_its_study(name):
    path = studies_at_hand()[name]
    assert set(read_form(form_texts(read_toml(path), name))) == set(read_study(path).runs)


def test_rounds_are_a_grid_of_the_form_and_pairs_are_refused():
    table = {"inits": ["nfm"], "rounds": 2, "run": {"source": "noise"}}
    assert form_texts(table, "s")["grid"] == "round=1,2"
    assert set(read_form(form_texts(table, "s"))) == set(expand(table, "s").runs)
    with pytest.raises(RequestError, match="agopconsole study s --queue"):
        form_texts({"inits": ["nfm"], "pairs": [{"lr": 0.1}]}, "s")


def test_every_field_of_a_spec_is_in_the_form():
    assert set(RunSpec.__slots__) | {"grid"} == set(FIELDS)


async def open_form(pilot):
    await pilot.press("n")
    await until(pilot, lambda: len(pilot.app.screen.query("#inputs Input")) == len(FIELDS))


async def test_a_preset_fills_every_field(demo):
    path = studies_at_hand()["quickstart"]
    wanted = dict.fromkeys(FIELDS, "") | form_texts(read_toml(path), "quickstart")
    async with console(demo) as pilot:
        await open_form(pilot)
        pilot.app.screen.query_one("#preset").value = str(path)
        await until(pilot, lambda: text(pilot, "#preview-text").startswith("10 runs"))
        assert {name: pilot.app.screen.query_one(f"#field-{name}").value for name in FIELDS} == wanted


async def test_it_checks_as_one_types_previews_and_queues(store, tmp_path):
    async with console(tmp_path / "runs.db") as pilot:
        await open_form(pilot)
        await pilot.press(*"kaimin")
        assert "unknown init 'kaimin'" in text(pilot, "#preview-text")
        await pilot.press("f2")
        assert isinstance(pilot.app.screen, FormScreen)
        await pilot.press(*"g_normal")
        await until(pilot, lambda: "time, one after another: not known" in text(pilot, "#preview-text"))
        preview = text(pilot, "#preview-text")
        assert preview.startswith("1 run\n")
        assert "agopconsole run --init kaiming_normal --queue" in preview
        shown = pilot.app.screen.query_one("#preview-text").content
        bold = [shown.plain[span.start : span.end] for span in shown.spans if span.style == "bold"]
        assert (shown.style, bold) == ("", ["1 run"])
        await pilot.press("f2")
        await until(pilot, lambda: not isinstance(pilot.app.screen, FormScreen))
    with Store(tmp_path / "runs.db") as now:
        assert [run.init for run in now.runs()] == ["kaiming_normal"]


async def test_a_preset_fills_it_and_what_is_there_is_not_queued_again(store, tmp_path):
    async with console(tmp_path / "runs.db") as pilot:
        for _ in range(2):
            await open_form(pilot)
            pilot.app.screen.query_one("#preset").value = str(studies_at_hand()["quickstart"])
            await until(pilot, lambda: text(pilot, "#preview-text").startswith("10 runs"))
            await pilot.press("f2")
            await until(pilot, lambda: not isinstance(pilot.app.screen, FormScreen))
    assert len(store.runs()) == 11


async def test_escape_closes_it_and_the_help_of_a_field_is_shown(demo):
    async with console(demo) as pilot:
        await open_form(pilot)
        assert "initialisation of the layers under test" in text(pilot, "#field-help")
        await pilot.press("enter")
        assert "data set" in text(pilot, "#field-help")
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, FormScreen)


async def test_the_time_that_runs_will_take_is_that_of_runs_like_them(demo):
    async with console(demo) as pilot:
        await open_form(pilot)
        for field, value in {"study": "s", "seed": "0-9", "epochs": "200"}.items():
            pilot.app.screen.query_one(f"#field-{field}").value = value
        await until(pilot, lambda: "10 runs\ntime, one after another: about 1 h 23" in text(pilot, "#preview-text"))
        pilot.app.screen.query_one("#field-model").value = "vgg19"
        await until(pilot, lambda: "not known: nothing comparable" in text(pilot, "#preview-text"))
