"""A small dashboard behind the gate, with three readers, two films and a trail that a test can read."""
