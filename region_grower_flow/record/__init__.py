"""Records of what was made from what: digests, manifests, listings, locks, status, cleaning."""
