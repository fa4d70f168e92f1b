"""One scene drawn by several processes: this one steps it, forked ones draw and encode."""
