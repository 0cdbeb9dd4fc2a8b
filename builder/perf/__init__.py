"""Speed of the builder, as ratios on the same work in one run."""
