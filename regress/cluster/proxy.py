#!/usr/bin/python3
"""proxy.py PID PORT: an HTTP proxy for the cluster whose process is PID.

It listens in the network of the cluster, which leads nowhere, and connects
from this one, so that pods reach package servers and the machine has neither
an interface nor a rule more.  It ends with the process that started it.
"""
import ctypes
import os
import select
import signal
import socket
import socketserver
import sys
import urllib.parse

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def network_enter(path):
    """From here on sockets are made there; those that are stay."""
    with open(path) as namespace:
        if LIBC.setns(namespace.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), path)


class Handler(socketserver.StreamRequestHandler):
    """One connection, for one server."""

    def handle(self):
        line = self.rfile.readline().decode("latin1").split()
        if len(line) != 3:
            return
        method, target, version = line
        headers = []
        while (header := self.rfile.readline()).strip():
            if not header.lower().startswith((b"proxy-", b"connection:")):
                headers.append(header)
        url = urllib.parse.urlsplit(
            target if "://" in target else "https://" + target)
        port = url.port or (443 if method == "CONNECT" else 80)
        try:
            server = socket.create_connection((url.hostname, port), 30)
        except OSError as error:
            self.wfile.write(b"HTTP/1.1 502 %s\r\n\r\n" % str(error).encode())
            return
        with server:
            if method == "CONNECT":
                self.wfile.write(b"HTTP/1.1 200 connected\r\n\r\n")
            else:
                path = urllib.parse.urlunsplit(
                    ("", "", url.path or "/", url.query, ""))
                server.sendall(f"{method} {path} {version}\r\n".encode() +
                               b"".join(headers) +
                               b"Connection: close\r\n\r\n")
            self.relay(server)

    def relay(self, server):
        other = {self.connection: server, server: self.connection}
        while True:
            for side in select.select(list(other), [], [], 120)[0] or [None]:
                data = side.recv(65536) if side else b""
                if not data:
                    return
                other[side].sendall(data)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def main():
    pid, port = sys.argv[1:]
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    own = f"/proc/{os.getpid()}/ns/net"
    with open(own) as here:
        network_enter(f"/proc/{pid}/ns/net")
        server = Server(("", int(port)), Handler)
        network_enter(f"/proc/self/fd/{here.fileno()}")
    print("ready", flush=True)
    server.serve_forever()


main()
