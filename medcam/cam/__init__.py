"""From raw class activation maps to regions, ledgers and calibrated rules."""
