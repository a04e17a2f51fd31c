"""The networks: torch only, no files of users, no command line."""
