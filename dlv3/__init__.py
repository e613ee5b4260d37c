"""DeepLabv3: the whole paper as a small library."""
