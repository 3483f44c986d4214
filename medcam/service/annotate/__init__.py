"""The main job: files in, explanations, pictures, DICOM objects and a manifest out."""
