"""The web server's process, on a socket that its parent has opened: `python -m traceviewer.web DESCRIPTOR`."""

from __future__ import annotations

import socket
import sys

import uvicorn

MAX_FRAME_BYTES = 1 << 20
"""Above what the consumer allows, so that a message too large gets our close code, and far below harm."""
LAST_WORDS_S = 3


def serve(descriptor: int) -> None:
    config = uvicorn.Config(
        "traceviewer.asgi:application",
        ws="websockets-sansio",
        ws_max_size=MAX_FRAME_BYTES,
        ws_per_message_deflate=True,
        lifespan="off",
        log_level="warning",
        timeout_graceful_shutdown=LAST_WORDS_S,
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    serve(int(sys.argv[1]))
