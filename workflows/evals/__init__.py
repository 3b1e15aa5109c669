"""From what agents did to how well they do it: datasets, experiments, and what has become worse."""
