"""Studies: where atrous rates, ASPP and image pooling pay on the scenes, with heads on frozen features."""
