"""What a DICOM node does with what it receives: keep, annotate, send, and let go of."""
