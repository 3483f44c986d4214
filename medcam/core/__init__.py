"""The words of the project: frozen value types, protocols, errors and geometry. Imports numpy alone."""
