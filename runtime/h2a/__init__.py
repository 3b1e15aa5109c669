"""H2A, the plain HTTP surface of one agent that hosts speak with (contract 2.5): no envelope, header tokens only."""
