"""Simulated readers: they speak to a running review server as the pages in a browser do, and measure how long it takes.

Streamlit's browser side and its server exchange protobuf messages over a websocket. `wire` reads and writes them,
`line` is one page's websocket, `reader` is what somebody does who reads studies, `crowd` is many of them at once.
"""
