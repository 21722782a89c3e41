"""Which app answers which kind of client message.

An app decorates `async def answer(socket, message, seq)` with `@register("<field of ClientMessage.kind>")`, in a
module that its AppConfig.ready() imports. `message` is the field's value, e.g. a `Watch`. What a handler keeps per
socket, it keeps in a class of its own: `socket.part(ThatClass)`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from traceviewer.protocol.messages_pb2 import ClientMessage

if TYPE_CHECKING:
    from traceviewer.live.consumer import Socket

Handler = Callable[["Socket", Any, int], Awaitable[None]]

KINDS = frozenset(field.name for field in ClientMessage.DESCRIPTOR.oneofs_by_name["kind"].fields)
HANDLERS: dict[str, Handler] = {}


def register(kind: str) -> Callable[[Handler], Handler]:
    assert kind in KINDS, f"{kind!r} is not a kind of ClientMessage: {sorted(KINDS)}"

    def decorate(handler: Handler) -> Handler:
        HANDLERS[kind] = handler
        return handler

    return decorate
