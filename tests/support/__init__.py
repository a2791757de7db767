"""What tests, proofs and benchmarks share."""
