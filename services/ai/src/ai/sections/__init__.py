"""Sections: the text of a proposal, its revisions and its approval."""
