def test_doctor_finds_all_well(cli):
    status, out, _ = cli("doctor")
    assert status == 0
    assert [line.split()[1] for line in out.splitlines() if line.startswith("ok")][:3] == [
        "python",
        "torch",
        "device",
    ]
    assert "runs.db is made by the first run" in out


def test_doctor_names_a_broken_store(cli, tmp_path):
    (tmp_path / "runs.db").write_bytes(b"no database" * 500)
    status, out, _ = cli("doctor")
    assert status == 1
    [line] = [line for line in out.splitlines() if line.startswith("broken")]
    assert "runs.db" in line
