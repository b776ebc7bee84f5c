"""The workbench over both products: what a person asks about a configuration or its language.

    pages, pages_haproxy, pages_keepalived   one page per declared word
    explain                                  those pages on a terminal
    manuals, roff                            those pages as manual pages

Nothing here is needed for running; everything is made from the vocabularies.
"""
