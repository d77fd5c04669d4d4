"""Envoy's configuration, made from settings and the route table."""
