"""Models behind one interface: the types to speak with them, and one adapter per vendor API."""
