"""An executor on a Ray cluster: one worker per accelerator."""
