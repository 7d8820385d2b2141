"""A small AWS on loopback for the tests of the pipeline: see README.md."""
