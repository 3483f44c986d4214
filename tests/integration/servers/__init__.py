"""Real DICOM servers on loopback, started and ended by tests."""
