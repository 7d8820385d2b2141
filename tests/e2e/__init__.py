"""The whole pipeline: real binaries, the real state machine, everything else on loopback."""
