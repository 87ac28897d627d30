"""What an earlier run has written and the present one has not."""

from region_grower_flow.record.fingerprint import Recipe
from region_grower_flow.record.manifest import Manifest
from region_grower_flow.tasks.leftovers import remove_leftovers


def test_only_own_files_of_the_same_folder_go(tmp_path):
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    for folder in (here, elsewhere):
        folder.mkdir()
        for name in ("old", "kept", "mine"):
            (folder / name).write_text(name)
    earlier = [here / "old", here / "kept", elsewhere / "old"]
    manifest = tmp_path / "manifest.json"
    Manifest.describe(Recipe("stage", 1), earlier).write(manifest)
    remove_leftovers(manifest, [here / "kept"], here)
    assert sorted(path.name for path in here.iterdir()) == ["kept", "mine"]
    assert len(list(elsewhere.iterdir())) == 3


def test_a_first_run_leaves_everything(tmp_path):
    (tmp_path / "mine").write_text("")
    remove_leftovers(tmp_path / "none.json", [], tmp_path)
    assert (tmp_path / "mine").exists()
