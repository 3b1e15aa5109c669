"""Child processes that end when they are told to, with everything that they have started."""
