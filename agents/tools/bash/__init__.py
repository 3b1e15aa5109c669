"""The `bash` tool: one command in a process group, a Unix user and, where possible, namespaces of its own."""
