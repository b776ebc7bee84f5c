"""What every reader of configuration shares: sources, spans, diagnostics and how they are shown.

Knows no keyword and neither product's language.
"""
