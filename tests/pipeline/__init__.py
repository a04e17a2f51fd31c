"""Tests of the pipeline: README.md beside this says what runs when."""
