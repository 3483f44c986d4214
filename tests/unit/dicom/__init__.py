"""Tests of medcam.dicom."""
