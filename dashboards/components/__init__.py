"""Parts of the review page: each draws one thing that it is given."""
