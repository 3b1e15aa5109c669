"""What model calls use and cost: prices, the meter beside the log, budgets and reports (extensions 7)."""
