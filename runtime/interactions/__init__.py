"""A person in the loop: what is asked, who answers, and what silence means (extensions 5)."""
