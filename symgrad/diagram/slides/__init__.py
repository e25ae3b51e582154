"""Slides of native shapes: text, gates and wires that a lecturer can edit and animate."""
