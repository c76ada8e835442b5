"""Send requests to engines: reserved in the ledger, retried, and awaited when a run stops."""
