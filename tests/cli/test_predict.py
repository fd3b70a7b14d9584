"""striate predict: what a folder holds besides images is named on standard error, and in the JSON."""

import json


def test_files_that_are_left_out_are_named(cli, run, paint, tmp_path):
    photos = paint(tmp_path / "photos", ["red"], count=2)
    (photos / "red" / "phone.HEIC").write_bytes(b"?")
    note = (
        f"1 file left out (1 .heic; the first: {photos / 'red' / 'phone.HEIC'}): not read; convert them to JPEG or PNG"
    )
    outcome = cli("predict", run, photos)
    assert outcome.code == 0
    assert outcome.err == f"note: {note}\n"
    assert len(outcome.out.splitlines()) == 2
    outcome = cli("predict", run, photos, "--json")
    assert outcome.err == f"note: {note}\n"
    found = json.loads(outcome.out)
    assert found.keys() == {"predictions", "notes"}
    assert found["notes"] == [note]
    assert len(found["predictions"]) == 2


def test_train_check_and_predict_take_the_same_files(cli, run, colours, tmp_path):
    photos = tmp_path / "photos"
    for name in ("red", "blue"):
        (photos / name / "folder.jpg").mkdir(parents=True)
        for file in ("A.PNG", "picture", "folder.jpg/inside.png"):
            (photos / name / file).write_bytes((colours / name / "0.png").read_bytes())
        (photos / name / "link").symlink_to(colours / name)
        (photos / name / "notes.txt").touch()
    checked = json.loads(cli("check", photos, "--json").out)
    assert sum(sum(counts.values()) for counts in checked["images"].values()) == 2 * 13
    predicted = json.loads(cli("predict", run, photos, "--json").out)
    assert len(predicted["predictions"]) == 2 * 13
    assert set(predicted["notes"]) <= set(checked["notes"])
    assert predicted["notes"][0].startswith("2 files left out (2 .txt; the first: ")
    trained = cli("train", photos, "--model", "lenet5", "--epochs", 1, "--run", "new", "--workers", 0)
    assert trained.code == 0, trained.err
    assert f"note: {predicted['notes'][0]}" in trained.err
    images = json.loads((tmp_path / "here" / "new" / "config.json").read_text(encoding="utf-8"))
    assert images["classes"] == ["blue", "red"]
    assert "23 train, 3 val images" in trained.err
