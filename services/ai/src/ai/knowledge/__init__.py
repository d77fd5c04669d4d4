"""What the org's uploads and calls say: pages for the plan, passages for the drafts."""
