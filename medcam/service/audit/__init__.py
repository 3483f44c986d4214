"""The audit trail at work: its key, anchors outside the database, verification, replay of decisions."""
