"""The WebSocket `/ws/v1/`: the API's streams and verbs over one connection (extensions 2)."""
