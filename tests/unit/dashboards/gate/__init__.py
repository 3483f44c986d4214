"""The gate in front of the dashboard, spoken to as a server would, without a browser."""
