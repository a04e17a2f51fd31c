"""The command line: options, console output and the display of errors; no algorithm lives here."""
