"""The two logs: written before anything is sent, kept by the kernel after a kill, copied to disk, read by all."""
