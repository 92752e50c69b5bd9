"""Files of a cost report, made by the engine's study of the example that was computed by hand."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

from engine.messages.tca import TABLES
from tests.conftest import PROJECT_ROOT

TEAM = 5  # whose orders the example has
PROGRAM = """
import sys
from pathlib import Path
from engine.studies.tca.door import Study
from tests.engine.studies.test_tca import by_hand
here = Path(sys.argv[1])
Study(by_hand().save(here / "session")).write(here / "report")
"""


def make_files(directory: Path) -> Path:
    """The report, beside its `session` of journal and recording. Interpreted: nothing is compiled for it."""
    environment = os.environ | {"ENGINE_BACKEND": "plain", "PYTHONPATH": str(PROJECT_ROOT)}
    program = [sys.executable, "-c", PROGRAM, str(directory)]
    subprocess.run(program, cwd=PROJECT_ROOT, env=environment, check=True, timeout=120)
    return directory / "report"


def files_of_team(made: Path, target: Path, team: int) -> Path:
    """A copy whose orders are this team's."""
    shutil.copytree(made, target)
    (target / "export" / f"team-{TEAM}").rename(target / "export" / f"team-{team}")
    parents = np.load(target / "parents.npy")
    assert parents.dtype == TABLES["parents"]
    parents["team"] = team
    np.save(target / "parents.npy", parents)
    document = json.loads((target / "report.json").read_text())
    for row in document["groups"]:
        row["team"] = team
    (target / "report.json").write_text(json.dumps(document))
    return target
