"""What instances can track: scripts, processes, files and BFD sessions, as dataclasses."""
