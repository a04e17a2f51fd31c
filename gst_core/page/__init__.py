"""A page that names proteins in a browser: a folder of files, no server."""
