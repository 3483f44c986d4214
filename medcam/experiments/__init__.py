"""The lecture's experiments on radiographs: each measures by the service and writes a page of its figures."""
