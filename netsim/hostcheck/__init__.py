"""What a host's settings amount to: limits and pitfalls."""
