"""Packets in, orders out: the co-located process and everything it is made of."""
