"""The simulated exchange: matching, order flow, recorded quotes and fees as a library, and the process on sockets."""
