"""Damaged and hostile DICOM files, made from whole ones with knowledge of their structure, read as `annotate` reads."""
