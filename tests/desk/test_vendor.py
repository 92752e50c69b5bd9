import hashlib

from desk.environment import PROJECT_ROOT

VENDOR = PROJECT_ROOT / "static/vendor"


def test_vendored_files_are_those_that_are_listed_unchanged() -> None:
    lines = (VENDOR / "VENDOR.txt").read_text().splitlines()
    listed = {line.split()[0]: line.split()[-1] for line in lines if line and not line.startswith("#")}
    present = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.iterdir()
        if path.name != "VENDOR.txt"
    }
    assert listed == present


def test_every_vendored_file_names_its_version_and_licence() -> None:
    rows = [line.split() for line in (VENDOR / "VENDOR.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(len(row) == 5 and row[2] in row[0] and row[3] for row in rows)
