"""What the two sides say: records with a fixed layout and a version. Plain numpy and the standard library only."""
