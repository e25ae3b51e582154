"""Training: roles of inputs, optimisers, data, the loop, checkpoints, diagnostics, modules."""
