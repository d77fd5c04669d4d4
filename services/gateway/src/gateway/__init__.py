"""Who is it, which org, how fast: decided before anything is routed."""
