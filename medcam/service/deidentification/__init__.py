"""De-identifies folders of studies."""
