"""Speed and memory of capture, distribution and mappings, as ratios to a floor measured beside them."""
