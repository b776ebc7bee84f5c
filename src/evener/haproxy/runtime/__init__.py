"""The commands of the runtime API, a file per family; each is declared beside the code that answers it."""
