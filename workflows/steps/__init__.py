"""How steps of each kind begin and end."""
