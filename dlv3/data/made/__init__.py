"""Pictures made in code, the same bytes on every machine: scenes to train on, and probes of single mechanisms."""
