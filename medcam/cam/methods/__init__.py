"""Attribution methods behind one registry: for comparison with exact maps, and for networks without a GAP head."""
