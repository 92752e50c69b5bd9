"""A process that writes both logs as fast as it can until it is killed. Arguments: STATE PROGRESS.

After every commit it stores the sequence in the PROGRESS file's memory, as a send would: that record must be found.
"""

import mmap
import sys
from pathlib import Path

import numpy as np

from engine.journal import append
from engine.journal.copier import start_copier
from engine.journal.writer import open_journal
from engine.messages.journal import ORDER_REQUEST
from engine.native import address_of, hot, store_i64, view


@hot
def write(journal, recording, packet, count, progress):
    for step in range(count):
        length = 20 + (step * 7) % 200
        body = append.reserve_journal(journal)  # first: without room for the record no packet is spent
        if body == 0:
            return step
        position = append.append_recording(recording, 1, step & 1, step, packet, length)
        if position == 0:
            return step
        order = view(body, 1, ORDER_REQUEST)[0]
        order.position = position
        order.order_id = position * 3
        order.price = position * 5
        sequence = append.commit_journal(journal, 3, step)
        store_i64(progress, sequence)
    return count


def main(state: str, progress_file: str) -> None:
    with Path(progress_file).open("r+b") as file:
        progress = np.frombuffer(mmap.mmap(file.fileno(), 8), np.int64)
    journal = open_journal(Path(state), journal_segment_bytes=1 << 18, recording_segment_bytes=1 << 18)
    copier = start_copier(Path(state))
    journal.start_keeper()
    packet = np.arange(256, dtype=np.uint8)
    while copier.alive():
        write(journal.journal.writer, journal.recording.writer, address_of(packet), 500, address_of(progress))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
