"""What looks at message bodies as they pass: compression, cache, bandwidth limits, traces.

A filter decides per message, after every rule, whether it wants the body, and gives a *stage* if so; the
stages of a message in their order are a ``flow``. How bodies are moved is the engine's business.
"""
