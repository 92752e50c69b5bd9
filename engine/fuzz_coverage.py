"""Coverage-guided fuzzing of one readable parser with atheris, where that is installed: `engine fuzz --coverage`.

Atheris changes the byte code of what it watches as it is imported and ends the process itself, so this is a process of
its own. What crashes is written to a file in the working directory, as libFuzzer does.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from random import Random
from typing import Any

CORPUS = 64
LONGEST = 4096


def main(arguments: list[str]) -> int:
    """PARSER INPUTS SEED CORPUS_DIRECTORY. 2 with a sentence when atheris is not installed."""
    parser, inputs, seed, directory = arguments
    if find_spec("atheris") is None:
        print(
            "engine fuzz: --coverage needs the package atheris, which is not installed; without it input is random",
            file=sys.stderr,
        )
        return 2
    atheris: Any = import_module("atheris")
    with atheris.instrument_imports(include=["engine.protocols", "engine.venues"]):
        from engine.fuzz import targets
        from engine.protocols.layouts import MalformedMessage

        make, good = targets()[parser]
    target = make()
    random = Random(int(seed))
    for number in range(CORPUS):
        with open(f"{directory}/{number}", "wb") as file:  # noqa: PTH123  before anything else is imported
            file.write(good(random)[:LONGEST])

    def one(raw: bytes) -> Any:
        try:
            target(raw)
        except MalformedMessage:
            return -1  # not worth keeping
        return 0

    atheris.Setup([sys.argv[0], f"-runs={inputs}", f"-seed={seed}", f"-max_len={LONGEST}", directory], one)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
