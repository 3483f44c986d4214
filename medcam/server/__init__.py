"""Long-running front ends: the DICOM node."""
