"""Whether a port can be listened on, asked before anything is started."""

import socket

LOOPBACK = "127.0.0.1"


class PortTaken(Exception):
    """Another process listens where we want to; the text says how to choose another port."""


def require_free_port(port: int, variable: str, host: str = LOOPBACK) -> None:
    """Raise PortTaken when `port` cannot be listened on; `variable` is what the reader may set instead."""
    if not is_free(port, socket.SOCK_STREAM, host):
        raise PortTaken(
            f"Port {port} on {host} is taken by another process. Choose another one, for example: "
            f"{variable}={port + 1} make up"
        )


def is_free(port: int, kind: socket.SocketKind, host: str = LOOPBACK) -> bool:
    """Say whether a socket of this kind (stream or datagram) can be bound to the port."""
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def block_is_free(first: int, count: int, host: str = LOOPBACK) -> bool:
    """Say whether `count` ports from `first` on are free for streams and for datagrams."""
    kinds = (socket.SOCK_STREAM, socket.SOCK_DGRAM)
    return all(is_free(port, kind, host) for port in range(first, first + count) for kind in kinds)
