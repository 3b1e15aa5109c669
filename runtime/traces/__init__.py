"""The log as telemetry shows it: serialised events, and what is computed from those of one trace."""
