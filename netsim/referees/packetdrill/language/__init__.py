"""The language of packetdrill scripts: from a script to its syntax tree, and packets back to notation."""
