"""From reference morphologies to the distributions and parameters of growth."""
