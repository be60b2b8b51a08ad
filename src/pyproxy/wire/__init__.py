"""Floor 1: HTTP/1.1 as facts. Heads, framing, targets, fields; no sockets, no clock."""
