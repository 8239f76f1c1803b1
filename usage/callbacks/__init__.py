"""Records that gateways post after each call → sightings. Pure."""
