"""The WebSocket's words: what a client may send, what it is answered, and what does the work (extensions 2)."""
