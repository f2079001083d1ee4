"""Texts of issues: three notations into one block tree, then what the author really wrote in it."""
