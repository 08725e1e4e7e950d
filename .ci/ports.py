#!/usr/bin/env python3
"""Ports of 127.0.0.1 that nobody else is given while this process lives.

    .ci/ports.py COUNT    prints them in a line, and keeps them until its input ends

A socket with SO_REUSEADDR is bound to each, and does not listen: so the kernel gives the port to no
connection and to nobody who asks for any port, while a server that sets the option, too, may listen
there, and again after it was started anew (socket(7)).
"""
import socket
import sys

kept = []


def reserve(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        each.bind(("127.0.0.1", 0))
    kept.extend(sockets)
    return [each.getsockname()[1] for each in sockets]


if __name__ == "__main__":
    print(*reserve(int(sys.argv[1])), flush=True)
    sys.stdin.read()
