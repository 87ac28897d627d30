"""What is told when a run begins under the luigi command."""

from region_grower_flow.tasks.arrival import merged_note


def test_options_of_a_second_configuration_are_told(tmp_path):
    local, named = tmp_path / "luigi.cfg", tmp_path / "flow.cfg"
    named.write_text("[region_grower_flow]\nseed = 1\natlas = a\n")
    assert merged_note(local, str(named)) is None
    local.write_text("[region_grower_flow]\nseed = 2\n[core]\nno_lock = true\n")
    assert merged_note(local, str(named)) is None
    local.write_text("[region_grower_flow]\nseed = 2\nregion_map = A:B\n")
    note = merged_note(local, str(named))
    assert note.endswith(f"region_map of it counts, which {named} lacks.")
    assert merged_note(local, None) is None
    assert merged_note(named, str(named)) is None
