"""The page: who reads it, which studies are theirs, and what reaches the server by a door of its own."""

from __future__ import annotations

import numpy as np
import streamlit as st

from access import current_identity, current_reader
from access.activity import watch_activity

reader = current_reader()
st.title(f"Worklist of {reader.name}")
st.text(f"reader {reader.id}, {', '.join(sorted(reader.roles))}, by {current_identity().issuer}")
st.text(f"study {st.query_params.get('study', 'none')}")
st.image(np.full((8, 8), 90, np.uint8))
upload = st.file_uploader("A film of one's own")
if upload is not None:
    st.text(f"{upload.name} has {upload.size} bytes")
if st.button("Agree"):
    st.text(f"{current_reader().name} agrees")
st.html('<a href="/sign-out" target="_self">Sign out</a>')
watch_activity()
