"""DICOM over the network, as a client: C-STORE and DICOMweb (STOW-RS, QIDO-RS, WADO-RS).

parse_destination -> deliver(files) -> one Delivery per file
parse_web_source  -> WebSource: search, then instances one by one
"""
