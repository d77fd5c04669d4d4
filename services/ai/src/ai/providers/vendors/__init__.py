"""The vendors' SDKs, one adapter each; their words and errors go no further.

An SDK takes half a second to two seconds to import, so each is imported when its adapter is first used.
"""
