"""What the browser is given: the SPA, the landing page, the API reference; and the edge's readiness."""
