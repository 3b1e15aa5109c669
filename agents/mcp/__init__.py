"""Tools of other servers, over the Model Context Protocol (contract 5.14): connections, pinned descriptions, calls."""
