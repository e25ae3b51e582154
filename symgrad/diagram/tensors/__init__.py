"""The parts of the tensor view: cells, summaries of large arrays, units, masks, the legend."""
