"""Results on their way to a PACS: what was accepted is remembered, what was not is sent again, as the same bytes.

`Outbox.send` makes one attempt; whoever calls it decides about the next one. `Sender` does so for a run of `annotate`.
"""
