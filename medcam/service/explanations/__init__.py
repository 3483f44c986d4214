"""An explanation as a record, a page in a notebook, and what it needs to be made."""
