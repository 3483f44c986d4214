"""How far readers agree with a model and with each other, from the answers of a store."""
