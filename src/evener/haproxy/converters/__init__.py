"""The converters of haproxy.cfg, a file per family (helper H9 writes this package; H5 leaves it alone)."""
