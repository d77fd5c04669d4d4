"""Exports: files whose bytes anyone can verify."""
