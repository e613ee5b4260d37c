"""Photos and masks from disk: folders, PASCAL VOC 2012 with SBD, and what pairs, reads and checks them."""
