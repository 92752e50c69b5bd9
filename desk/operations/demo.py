"""The demo market's files: where they lie in the state directory and on which loopback ports its processes listen."""

import os
import secrets
import shutil
import zlib
from dataclasses import dataclass
from pathlib import Path

from desk.operations.ports import LOOPBACK, PortTaken, block_is_free
from engine.messages.endpoints import shared_memory_directory

PORT_BLOCK = 32
FIRST_BLOCK = 26_400
BLOCKS = 100
LINE_A_PORT, LINE_B_PORT, RETRANSMISSION_PORT, ORDER_PORT, SNAPSHOT_PORT = range(5)
MID_LINE_A_PORT, MID_LINE_B_PORT, MID_RETRANSMISSION_PORT, MID_ORDER_PORT, MID_SNAPSHOT_PORT = range(5, 10)
FIX_LINE_A_PORT, FIX_LINE_B_PORT, FIX_RETRANSMISSION_PORT, FIX_ORDER_PORT, FIX_SNAPSHOT_PORT = range(10, 15)
TWO_LINE_A_PORT, TWO_LINE_B_PORT, TWO_RETRANSMISSION_PORT, TWO_ORDER_PORT, TWO_SNAPSHOT_PORT = range(15, 20)
BROKER_ORDER_PORT = 20
DROP_COPY_PORT, TWO_DROP_COPY_PORT, MID_DROP_COPY_PORT, BROKER_DROP_COPY_PORT = range(21, 25)
USER = "ENGINE"
MAKER_FEE, TAKER_FEE = -20, 30
TWO_MAKER_FEE, TWO_TAKER_FEE = -10, 25
FIX_MAKER_FEE, FIX_TAKER_FEE = 0, 15
MID_FEE, BROKER_FEE = 10, 80
"""per share, in 1/10,000 of the currency"""


@dataclass(frozen=True)
class Market:
    """Places of one demo market."""

    state: Path

    @property
    def directory(self) -> Path:
        return self.state / "market"

    @property
    def exchange_config(self) -> Path:
        return self.state / "exchange.toml"

    @property
    def exchange_ready(self) -> Path:
        """What the exchange writes when it listens."""
        return self.state / "exchange" / "exchange.json"

    @property
    def broker_dialect(self) -> Path:
        return self.state / "dialects" / "XBRK.toml"

    @property
    def engine_config(self) -> Path:
        return self.state / "engine.toml"

    @property
    def instruments(self) -> Path:
        return self.earlier_session / "instruments.json"

    @property
    def earlier_config(self) -> Path:
        return self.directory / "earlier.toml"

    @property
    def earlier_session(self) -> Path:
        return self.directory / "earlier"

    @property
    def volumes(self) -> Path:
        """What was traded in the earlier session."""
        return self.earlier_session / "volumes.json"

    @property
    def pairs(self) -> Path:
        return self.directory / "pairs.json"

    @property
    def opened(self) -> Path:
        """Is there once the demo's strategies were started; from then on they are people's."""
        return self.directory / "opened"

    @property
    def first_port(self) -> int:
        return int((self.directory / "first_port").read_text())

    @property
    def order_port(self) -> int:
        """Where the exchange takes orders over SoupBinTCP."""
        return self.first_port + ORDER_PORT

    @property
    def password(self) -> str:
        """What the engine's session signs in with at the demo's venues; made at the first reading."""
        path = self.directory / "password"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(5))
        return path.read_text()

    def address(self, offset: int) -> str:
        """Return a loopback address of this market's block of ports."""
        return f"{LOOPBACK}:{self.first_port + offset}"


def forget_deleted_state(market: Market) -> None:
    """Clear the shared memory of an earlier state directory at this path, if this one is new."""
    if not market.directory.exists():
        shutil.rmtree(shared_memory_directory(market.state), ignore_errors=True)


def claim_ports(market: Market) -> int:
    """Return the first port of this market's block: the one it had before, or the first free block.

    Venues that people defined keep their addresses, so a market never moves: PortTaken when its block is in use.
    """
    note = market.directory / "first_port"
    if note.exists():
        first = int(note.read_text())
        if not block_is_free(first, PORT_BLOCK):
            raise PortTaken(
                f"The demo market of {market.state} listens on ports {first} to {first + PORT_BLOCK - 1}, and another "
                f"process uses one of them. Stop it, or start with another state directory: DESK_STATE=/path make up"
            )
        return first
    # Two desks that start at the same moment must not both find the same block free.
    offset = zlib.crc32(os.fsencode(market.state)) % BLOCKS
    blocks = range(FIRST_BLOCK, FIRST_BLOCK + BLOCKS * PORT_BLOCK, PORT_BLOCK)
    for first in [*blocks[offset:], *blocks[:offset]]:
        if block_is_free(first, PORT_BLOCK):
            market.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            note.write_text(str(first))
            return first
    raise PortTaken(f"No {PORT_BLOCK} ports in a row are free from {blocks.start} to {blocks.stop} for the demo.")
