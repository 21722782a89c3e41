"""The pool in which the web side asks the engine: tiles, names, events. Never on the event loop."""
