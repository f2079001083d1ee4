"""One module, one command: reads the settings, calls the part that does the work, prints what it says."""
