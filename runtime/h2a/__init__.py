"""One agent as an HTTP server of its own, for clients of the contract's H2A (2.5), at `/h2a/<agent_id>/`."""
