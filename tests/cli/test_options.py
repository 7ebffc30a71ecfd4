from dataclasses import fields

from agopconsole.spec import RunSpec


def test_every_field_of_a_spec_is_an_option_with_its_help(cli):
    for command in ("run", "inspect"):
        text = " ".join(cli(command, "--help")[1].split())
        for field in fields(RunSpec):
            assert f"--{field.name.replace('_', '-')} " in text
            assert field.metadata["help"].split(":")[0] in text
            assert all(choice in text for choice in field.metadata["choices"])
