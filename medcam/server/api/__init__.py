"""The HTTP API of the CAM service."""
