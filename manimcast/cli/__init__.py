"""The face for people at a terminal: render a file, serve the API, find out what is missing."""
