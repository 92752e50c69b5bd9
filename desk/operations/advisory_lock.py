"""One of several workers does a thing: a lock of the database that ends with the connection which holds it."""

import contextlib
from collections.abc import Iterator

from django.db import connection


@contextlib.contextmanager
def advisory_lock(kind: int, number: int) -> Iterator[bool]:
    """Whether the lock of this kind and number was free. It is given back at the end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [kind, number])
        free = bool(cursor.fetchone()[0])
        try:
            yield free
        finally:
            if free:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [kind, number])
